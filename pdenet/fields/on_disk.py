"""Values that stay on disk, read a stretch of one run at a time, and stretches of them that fit in memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from backbone.errors import ResourceError
from pdenet.fields.memory import COPIES, UNITS, in_words

Stretch = Callable[[int, slice], Float64[np.ndarray, "time channel *space"]]


@dataclass(frozen=True)
class OnDisk:
    """Values "run time channel *space", float64. stretch: reads a slice of times of one run.

    `values[run, start:stop]` reads; whatever needs all of them at once raises ResourceError. source: for that error.
    """

    shape: tuple[int, ...]
    stretch: Stretch
    source: str

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all values in float64."""
        return 8 * math.prod(self.shape)

    def __getitem__(self, index: Any) -> Float64[np.ndarray, "time channel *space"]:
        if isinstance(index, tuple) and len(index) == 2 and isinstance(index[1], slice) and np.isscalar(index[0]):
            return self.stretch(int(index[0]), index[1])
        raise self._too_large()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise self._too_large()

    def cropped(self, space: tuple[int, ...]) -> OnDisk:
        """The values at the first points of each space axis."""
        if space == self.shape[3:]:
            return self
        points = (..., *(slice(0, n) for n in space))
        return OnDisk((*self.shape[:3], *space), lambda run, times: self.stretch(run, times)[points], self.source)

    def _too_large(self) -> ResourceError:
        return ResourceError(
            f"this needs all values at once, {in_words(self.nbytes)}, which is more than memory is meant for",
            where=self.source,
            cure=f"--memory {math.ceil((COPIES + 1) * self.nbytes / UNITS['G'])}G, or fewer runs or snapshots",
        )
