"""Training pictures: the images of files and folders, as 8-bit arrays with one or three channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from backbone.errors import InputError
from durr.images.channels import as_channels
from durr.images.inputs import every_picture
from durr.images.reader import read_picture

HELD_OUT = 20  # without pictures to validate on, every 20th is kept apart


@dataclass(frozen=True, eq=False)
class Pictures:
    """8-bit pictures to train and to validate on; files: those of the training."""

    training: list[UInt8[np.ndarray, "_ _ channel"]]
    validating: list[UInt8[np.ndarray, "_ _ channel"]]
    files: list[Path]


def pictures_of(data: Sequence[Path], val: Sequence[Path], channels: int, note: Callable[[str], None]) -> Pictures:
    """The pictures to train and to validate on, every HELD_OUTth where val is empty; no file is in both.

    Raises InputError.
    """
    files = every_picture(data)
    if val:
        held_out = every_picture(val)
        shared = {path.resolve() for path in files} & {path.resolve() for path in held_out}
        if shared:
            raise InputError(
                f"{len(shared)} files are in DATA and in --val", where=str(min(shared)), cure="keep them apart"
            )
    else:
        held_out = files[::HELD_OUT] if len(files) > 1 else files
        files = [path for path in files if path not in held_out] or files
    training = load_pictures(files, channels, note)
    validating = load_pictures(held_out, channels, note)
    note(f"{len(training)} pictures to train on, {len(validating)} to validate on")
    return Pictures(training, validating, files)


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
