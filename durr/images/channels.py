"""Pictures with the number of channels that is asked for."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8

from durr.images.depth import from_unit

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as MATLAB's rgb2gray and the grey test sets have it


def as_channels(
    pixels: Float32[np.ndarray, "row col *channel"], channels: int
) -> UInt8[np.ndarray, "row col channels"]:
    """Pixels in [0, 1] as 8-bit with one channel, BT.601 luma, or three."""
    if channels == 1 and pixels.ndim == 3:
        pixels = pixels @ np.array(LUMA, dtype=pixels.dtype)
    image = pixels[..., None] if pixels.ndim == 2 else pixels
    image = np.repeat(image, channels, axis=2) if image.shape[2] < channels else image
    return from_unit(image, np.dtype(np.uint8))
