"""Arrays in NumPy's own format that are read where they lie in a file, one block at a time.

Each block is mapped anew and let go with the array that it gave: pages of a map that stays open count as memory.
"""

from __future__ import annotations

import struct
from pathlib import Path
from zipfile import ZipInfo

import numpy as np

from pdenet.readers.stored import View

LOCAL_HEADER = struct.Struct("<26xHH")  # of a member of a zip archive: the lengths of its name and of an extra field


def map_npy(path: Path, start: int = 0) -> View:
    """The array whose header begins at a byte of a file. Raises ValueError for anything but numbers."""
    with path.open("rb") as file:
        file.seek(start)
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read_header(file)
        first = file.tell()
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be mapped: they hold pickled objects")
    order = "F" if by_columns else "C"
    if np.prod(shape, dtype=float) == 0:
        return View(shape, dtype, lambda block: np.empty(shape, dtype)[block])
    np.memmap(path, dtype, "r", first, shape, order)  # ValueError if the file is cut short
    return View(shape, dtype, lambda block: np.memmap(path, dtype, "r", first, shape, order)[block])


def map_member(path: Path, member: ZipInfo) -> View:
    """An array in a zip archive that is stored as it is."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        lengths = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    return map_npy(path, member.header_offset + LOCAL_HEADER.size + sum(lengths))
