"""A picture in square blocks, and the filter that is blind to what is smooth in them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.ndimage import correlate1d

SIDE = 16  # rows and columns of a block
SMOOTHEST = 0.2  # share of the blocks that are taken to show noise alone

Image = Float[np.ndarray, "row col"]
Blocks = Float[np.ndarray, "block pixel"]


def blocks_of(image: Image, side: int) -> Blocks:
    """All whole squares of an image, each in one row."""
    rows, columns = (length // side for length in image.shape)
    whole = image[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.swapaxes(1, 2).reshape(rows * columns, side * side)


def mixed_difference(image: Image) -> Image:
    """Second differences along both axes, scaled so that white noise keeps its deviation."""
    weights = np.array([1.0, -2.0, 1.0]) / np.sqrt(6.0)
    return correlate1d(correlate1d(image, weights, axis=0), weights, axis=1)
