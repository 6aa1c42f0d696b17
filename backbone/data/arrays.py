"""NumPy archives of pictures: arrays of pixels, or the JPEG files themselves end to end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Integer, UInt8
from PIL import Image, UnidentifiedImageError

from backbone.data.picture_set import PictureData, PictureSet, picture_set
from backbone.errors import InputError

JPEG_NOTE = "pictures decoded from JPEG: a lossy copy, not comparable with published tables"
PIXELS = ("x_train", "y_train", "x_test", "y_test")
JPEG = ("jpeg", "offset", "label", "split")
Arrays = Mapping[str, np.ndarray]


def read_archive(path: Path) -> PictureData:
    """An .npz of x_train, y_train, x_test, y_test, or of jpeg, offset, label, split.

    x: uint8 with the channels last, first or none. jpeg: the bytes of all files, picture i is
    jpeg[offset[i]:offset[i + 1]]; split: 0 train, 1 test. Raises InputError.
    """
    arrays = _arrays(path)
    if all(name in arrays for name in JPEG):
        return _decoded(arrays, path)
    if all(name in arrays for name in PIXELS):
        train, test = (
            picture_set(_channels_first(arrays[x], f"{path}:{x}"), arrays[y].reshape(-1), f"{path}:{x}")
            for x, y in (PIXELS[:2], PIXELS[2:])
        )
        return PictureData(train, test)
    raise InputError(
        f"the archive holds {', '.join(sorted(arrays)) or 'nothing'}",
        where=str(path),
        cure=f"save it with np.savez(path, {', '.join(f'{name}=...' for name in PIXELS)})",
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except ValueError as error:
        raise InputError(
            f"the archive holds Python objects, which could run code: {error}",
            where=str(path),
            cure="save plain arrays: np.savez(path, x_train=pixels.astype('uint8'), ...)",
        ) from error
    except (OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read the archive: {error}", where=str(path), cure="get the file again") from error


def _channels_first(pixels: np.ndarray, where: str) -> UInt8[np.ndarray, "picture channel row col"]:
    """Pictures with their channels in front, whether they came last, first or not at all."""
    if pixels.dtype != np.uint8:
        raise InputError(f"pixels of type {pixels.dtype}", where=where, cure="save pixels.astype('uint8'), 0 to 255")
    if pixels.ndim == 3:
        return pixels[:, None]
    if pixels.ndim == 4 and pixels.shape[3] in (1, 3):
        return pixels.transpose(0, 3, 1, 2)
    if pixels.ndim == 4 and pixels.shape[1] in (1, 3):
        return pixels
    raise InputError(
        f"an array of shape {pixels.shape} is no set of pictures",
        where=where,
        cure="save it as picture, row, col, channel",
    )


def _decoded(arrays: Arrays, path: Path) -> PictureData:
    content, offset, label, split = (arrays[name] for name in JPEG)
    if len(offset) != len(label) + 1 or len(split) != len(label) or (len(offset) and offset[-1] != content.size):
        raise InputError(
            f"{len(offset)} offsets, {len(label)} labels and {len(split)} splits of {content.size} bytes do not agree",
            where=str(path),
            cure="get the file again",
        )
    files = content.tobytes()
    train, test = (_decoded_part(files, offset, label, np.flatnonzero(split == part), path) for part in (0, 1))
    return PictureData(train, test, note=JPEG_NOTE)


def _decoded_part(
    content: bytes, offset: np.ndarray, label: np.ndarray, rows: Integer[np.ndarray, " row"], path: Path
) -> PictureSet:
    pictures = [_pixels(content[offset[row] : offset[row + 1]], f"{path}: picture {row}") for row in rows]
    if len({picture.shape for picture in pictures}) > 1:
        raise InputError("the pictures are not of one size", where=str(path), cure="scale them to one size first")
    stacked = np.stack(pictures) if pictures else np.zeros((0, 1, 1, 1), np.uint8)
    return picture_set(stacked.transpose(0, 3, 1, 2), label[rows], str(path))


def _pixels(content: bytes, where: str) -> UInt8[np.ndarray, "row col channel"]:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            return np.atleast_3d(np.asarray(picture))
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"cannot decode the picture: {error}", where=where, cure="get the file again") from error
