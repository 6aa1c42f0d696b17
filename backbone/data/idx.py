"""IDX, the format of MNIST and Fashion-MNIST: a big-endian header and raw bytes, with or without .gz.

Y. LeCun, C. Cortes, C. Burges, "The MNIST database": two zeros, 8 for bytes, the number of axes, their lengths.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from backbone.data.picture_set import PictureData, PictureSet, picture_set
from backbone.errors import InputError

UNSIGNED_BYTE = 8
PARTS = {"train": "train", "test": "t10k"}


def read_idx(path: Path) -> UInt8[np.ndarray, " *axis"]:
    """The array of an IDX file of unsigned bytes. Raises InputError for one that is damaged, cut off or of numbers."""
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0":
        raise InputError("this is no IDX file: it does not begin with two zeros", where=str(path), cure="get it again")
    kind, axes = content[2], content[3]
    if kind != UNSIGNED_BYTE:
        raise InputError(
            f"an IDX file of type 0x{kind:02x}; pictures and labels are unsigned bytes, 0x08",
            where=str(path),
            cure="give the files train-images-idx3-ubyte and so on",
        )
    begin = 4 + 4 * axes
    shape = struct.unpack(f">{axes}I", content[4:begin]) if len(content) >= begin else ()
    if not shape or len(content) - begin != math.prod(shape):
        raise InputError(
            f"the header tells of {' x '.join(map(str, shape))} bytes, {max(len(content) - begin, 0)} are there",
            where=str(path),
            cure="get the file again, it is cut off",
        )
    return np.frombuffer(content, np.uint8, offset=begin).reshape(shape)


def read_idx_folder(folder: Path) -> PictureData:
    """A folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-... likewise, each with or without .gz."""
    train, test = (_part(folder, prefix) for prefix in PARTS.values())
    return PictureData(train, test)


def find_idx(folder: Path, prefix: str, content: str, axes: int) -> Path | None:
    """One file of a folder, under any of the names it goes by."""
    stems = [f"{prefix}-{content}{mark}idx{axes}-ubyte" for mark in "-."]
    found = [folder / f"{stem}{ending}" for stem in stems for ending in ("", ".gz")]
    return next((path for path in found if path.is_file()), None)


def _part(folder: Path, prefix: str) -> PictureSet:
    images, labels = (_array(folder, prefix, *kind) for kind in (("images", 3), ("labels", 1)))
    return picture_set(images[:, None], labels, f"{folder}/{prefix}-*")


def _array(folder: Path, prefix: str, content: str, axes: int) -> UInt8[np.ndarray, " *axis"]:
    path = find_idx(folder, prefix, content, axes)
    if path is None:
        name = f"{prefix}-{content}-idx{axes}-ubyte"
        raise InputError(f"there is no {name}", where=str(folder), cure=f"put {name} or {name}.gz there")
    array = read_idx(path)
    if array.ndim != axes:
        raise InputError(f"{array.ndim} axes where {content} have {axes}", where=str(path), cure="get the file again")
    return array


def _content(path: Path) -> bytes:
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=str(path), cure="check the path") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read the file: {error}", where=str(path), cure="get the file again") from error
