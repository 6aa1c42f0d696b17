"""What every measured method is given and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32


@dataclass(frozen=True, eq=False)
class Answer:
    """A restored picture on the scale of [0, 1], the steps of a method that takes some, its estimate of the grade.

    path: the images after every step; it is read untimed.
    """

    image: Float[np.ndarray, "row col *channel"]
    steps: float | None = None
    estimate: float | None = None
    path: Callable[[], Float[np.ndarray, "step row col *channel"]] | None = None


Method = Callable[[Float32[np.ndarray, "row col *channel"], float], Answer]  # degraded picture of [0, 1], told grade
