"""Training pictures: the images of files and folders, as 8-bit arrays with one or three channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from backbone.errors import InputError
from durr.images.channels import as_channels
from durr.images.reader import read_picture


def load_pictures(
    paths: Sequence[Path], channels: int, note: Callable[[str], None]
) -> list[UInt8[np.ndarray, "_ _ channel"]]:
    """The pictures of files; one that cannot be read is told and left out. Raises InputError if none is left."""
    pictures = []
    for path in paths:
        try:
            pixels = read_picture(path).as_float()
        except InputError as error:
            note(f"{path} is left out: {error.what}")
            continue
        pictures.append(as_channels(pixels, channels))
    if not pictures:
        raise InputError(
            f"none of {len(paths)} pictures can be read", where=str(paths[0].parent), cure="give readable pictures"
        )
    return pictures
