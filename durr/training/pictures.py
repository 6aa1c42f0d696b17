"""Training pictures: the images of folders, as 8-bit arrays with one or three channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from backbone.errors import InputError
from durr.degrade import LEVELS
from durr.images.reader import read_picture

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as MATLAB's rgb2gray and the grey test sets have it


def find_pictures(places: Sequence[Path]) -> list[Path]:
    """The image files given, and those of folders and their sub-folders, sorted within each. Raises InputError."""
    found: list[Path] = []
    for place in places:
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES)
        if not files:
            raise InputError("there are no images", where=str(place), cure=f"give a folder with {' '.join(SUFFIXES)}")
        found += files
    return found


def load_pictures(
    paths: Sequence[Path], channels: int, note: Callable[[str], None]
) -> list[UInt8[np.ndarray, "_ _ channel"]]:
    """The pictures of files; one that cannot be read is told and left out."""
    pictures = []
    for path in paths:
        try:
            pixels = read_picture(path).as_float()
        except InputError as error:
            note(f"{path} is left out: {error.what}")
            continue
        pictures.append(as_channels(pixels, channels))
    return pictures


def as_channels(pixels: np.ndarray, channels: int) -> UInt8[np.ndarray, "_ _ channel"]:
    """Pixels "row col" or "row col 3" in [0, 1] as 8-bit with one channel, BT.601 luma, or three."""
    if channels == 1 and pixels.ndim == 3:
        pixels = pixels @ np.array(LUMA, dtype=pixels.dtype)
    image = pixels[..., None] if pixels.ndim == 2 else pixels
    image = np.repeat(image, channels, axis=2) if image.shape[2] < channels else image
    return np.rint(np.clip(image, 0, 1) * LEVELS).astype(np.uint8)
