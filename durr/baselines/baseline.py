"""The one contract of every baseline, so that the benchmark treats all alike."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float


@runtime_checkable
class Baseline(Protocol):
    """Restores an image with Gaussian noise whose level it is told.

    noisy: on the scale of [0, 1], values outside allowed. sigma: standard deviation on that scale, positive.
    The answer has the shape and dtype of the noisy image and is not clipped.
    """

    def __call__(
        self, noisy: Float[np.ndarray, "row col *channel"], sigma: float
    ) -> Float[np.ndarray, "row col *channel"]: ...
