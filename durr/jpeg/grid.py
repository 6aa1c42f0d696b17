"""The grid of blocks and the quality of a decoded picture, from its pixels alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from durr.jpeg.steps import coefficients, evidence
from durr.jpeg.tables import SIDE, WAVES, nearest_quality
from durr.jpeg.windows import Windows

LIVELIEST, MANY = 128, 600  # windows that the grid is sought on, and that the quality is read from
FEW_STEPS = np.arange(2, 33)  # every larger step has multiples that one of these has too, or waves that have
ALL_STEPS = np.arange(1, 256)
CERTAIN = 30.0  # of the log likelihood ratio of the best grid; pictures that were never compressed stay below 10
AHEAD = 1.3  # times that of the next grid


@dataclass(frozen=True)
class Grid:
    """offset: rows and columns before the first whole block. quality: of the luma table, None if unknown."""

    offset: tuple[int, int]
    quality: int | None


def find_grid(windows: Windows) -> Grid | None:
    """The grid on which the picture was compressed, None if there is no sign of one."""
    if not len(windows):
        return None
    liveliest = windows[np.argsort(windows.var(axis=(1, 2)))[::-1][:LIVELIEST]]
    scores = _evidence_by_offset(liveliest)
    best, second = np.sort(scores.ravel())[[-1, -2]]
    if best < CERTAIN or best < AHEAD * second:
        return None
    row, column = (int(place) for place in np.unravel_index(scores.argmax(), scores.shape))
    return Grid((row, column), quality_on_grid(windows, (row, column)))


def quality_on_grid(windows: Windows, offset: tuple[int, int]) -> int | None:
    """The quality whose table is nearest to the steps of the waves, each with the weight of its evidence."""
    chosen = windows[np.unique(np.linspace(0, len(windows) - 1, min(len(windows), MANY)).astype(int))]
    blocks = chosen[:, offset[0] : offset[0] + SIDE, offset[1] : offset[1] + SIDE]
    found = evidence(coefficients(blocks), ALL_STEPS)
    steps, weights = np.ones((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    steps[WAVES] = ALL_STEPS[found.argmax(-1)]
    weights[WAVES] = np.maximum(found.max(-1), 0)
    return nearest_quality(steps, weights) if weights.sum() >= CERTAIN else None


def _evidence_by_offset(windows: Windows) -> Float32[np.ndarray, "8 8"]:
    """For each grid the evidence of the best step of each wave, summed over waves."""
    scores = np.zeros((SIDE, SIDE), np.float32)
    for row in range(SIDE):
        shifted = np.stack([windows[:, row : row + SIDE, column : column + SIDE] for column in range(SIDE)])
        scores[row] = np.maximum(evidence(coefficients(shifted), FEW_STEPS).max(-1), 0).sum(-1)
    return scores
