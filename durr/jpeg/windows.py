"""Windows of a picture on which its compression is studied: luma, twice the side of a block, a few thousand at most."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Num

from durr.images.channels import LUMA
from durr.images.depth import to_unit
from durr.jpeg.tables import SIDE

MOST = 4096  # windows of a large picture, evenly spread
FEWEST = 8  # open windows, below which closed ones serve too
PEAK = np.float32(255)

Samples = Num[np.ndarray, "row col channel"]
Windows = Float32[np.ndarray, "window 16 16"]


def luma_windows(samples: Samples) -> Windows:
    """Windows of luma on the scale 0 ... 255 that begin at multiples of SIDE, so that each holds a block of any grid.

    Windows with clipped samples are left out where enough others are there: they are no longer what a decoder gave.
    """
    rows, columns = (max(length // SIDE - 1, 0) for length in samples.shape[:2])
    places = np.unique(np.linspace(0, rows * columns - 1, min(rows * columns, MOST)).astype(int))
    cells = [divmod(int(place), columns) for place in places]
    found = [samples[SIDE * row : SIDE * (row + 2), SIDE * column : SIDE * (column + 2)] for row, column in cells]
    if not found:
        return np.zeros((0, 2 * SIDE, 2 * SIDE), np.float32)
    values = to_unit(np.stack(found))
    is_open = ((values > 0) & (values < 1)).all(axis=(1, 2, 3))
    if is_open.sum() >= FEWEST:
        values = values[is_open]
    return luma(values) * PEAK


def luma(values: Float32[np.ndarray, " *place channel"]) -> Float32[np.ndarray, " *place"]:
    """ITU-R BT.601 luma of RGB, as JFIF has it; grey as it is."""
    return values[..., 0] if values.shape[-1] == 1 else values @ np.array(LUMA, dtype=np.float32)
