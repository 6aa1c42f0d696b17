"""MATLAB's .mat: version 5 by an own reader, version 7.3 by the one for HDF5.

SciPy's loadmat ends the process with a segmentation fault on some damaged files (an unknown data type, a missing
imaginary part), so every tag and length is checked here. Format: "MAT-File Format", The MathWorks, chapter 1.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pdenet.readers.contents import Contents
from pdenet.readers.mat73 import read_mat73

HEADER = 128
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
USER_BLOCK = 512  # MATLAB v7.3 is HDF5 behind a text header of this many bytes
MATRIX, COMPRESSED = 14, 15
COMPLEX, LOGICAL = 0x0800, 0x0200  # array flags
# data types of elements, table 1-1, and numeric classes of arrays, table 1-3, as NumPy spells them
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}


def read_mat(path: Path) -> Contents:
    """Read every numeric array; structs, cells, text and truth values are passed over.

    MATLAB has no one-dimensional arrays, so 1 x n and n x 1 are given as lists. Raises ValueError for a file that is
    damaged or of another type.
    """
    with path.open("rb") as file:
        head = file.read(USER_BLOCK + 8)
    if HDF5_SIGNATURE in (head[:8], head[USER_BLOCK:]):
        return read_mat73(path)
    content = memoryview(path.read_bytes())
    order = {b"IM": "<", b"MI": ">"}.get(bytes(content[HEADER - 2 : HEADER]))
    if order is None:
        raise ValueError("it has no header of a MATLAB v5 file")
    arrays = {}
    for element in _elements(content[HEADER:], order):
        matrix = _uncompressed(element.data, order) if element.kind == COMPRESSED else element
        if matrix.kind == MATRIX:
            arrays |= _numeric_array(matrix.data, order)
    return Contents(str(path), {name: _list_if_flat(array) for name, array in arrays.items()})


@dataclass(frozen=True)
class Element:
    """A tagged piece of the file: its data type and its bytes."""

    kind: int
    data: memoryview

    def numbers(self, order: str) -> np.ndarray:
        """The data as numbers of the type in the tag."""
        if self.kind not in TYPES:
            raise ValueError(f"data type {self.kind} is unknown")
        return np.frombuffer(self.data, dtype=f"{order}{TYPES[self.kind]}")


def _elements(content: memoryview, order: str) -> Iterator[Element]:
    """The elements that follow each other in a stretch of bytes."""
    place = 0
    while place + 8 <= len(content):
        first, size = np.frombuffer(content[place : place + 8], dtype=f"{order}u4").tolist()
        if first >> 16:  # small form: size and type share a word, up to 4 bytes of data stand in the tag
            kind, size, start, end = first & 0xFFFF, first >> 16, place + 4, place + 8
        else:
            kind, start = first, place + 8
            end = start + size + (0 if kind == COMPRESSED else -size % 8)
        if start + size > min(len(content), end):
            raise ValueError(f"an element of {size} bytes does not fit where it stands")
        yield Element(kind, content[start : start + size])
        place = end


def _uncompressed(data: memoryview, order: str) -> Element:
    """The one element in a compressed one, unpacked no further than the length it states."""
    unpacker = zlib.decompressobj()
    tag = unpacker.decompress(data, 8)
    if len(tag) < 8:
        raise ValueError("a compressed array is cut")
    kind, size = np.frombuffer(tag, dtype=f"{order}u4").tolist()
    body = unpacker.decompress(unpacker.unconsumed_tail, size) if size else b""
    if len(body) < size:
        raise ValueError("a compressed array is cut")
    return Element(kind, memoryview(body))


def _numeric_array(matrix: memoryview, order: str) -> dict[str, np.ndarray]:
    """The array of a matrix element under its name; nothing if it is not numeric."""
    parts = _elements(matrix, order)
    flags = _next(parts).numbers(order)
    word = int(flags[0]) if flags.size else 0
    if word & 0xFF not in CLASSES or word & LOGICAL:
        return {}
    shape = tuple(_next(parts).numbers(order).tolist())
    name = bytes(_next(parts).data).decode("ascii")
    values = _values(_next(parts), shape, CLASSES[word & 0xFF], order)
    if not word & COMPLEX:
        return {name: values}
    both = np.empty(shape, dtype=np.result_type(values.dtype, np.complex64))
    both.real, both.imag = values, _values(_next(parts), shape, CLASSES[word & 0xFF], order)
    return {name: both}


def _next(parts: Iterator[Element]) -> Element:
    part = next(parts, None)
    if part is None:
        raise ValueError("an array lacks one of its parts")
    return part


def _values(part: Element, shape: tuple[int, ...], dtype: str, order: str) -> np.ndarray:
    """Numbers in the array's own type (the file may hold them in a shorter one), the first axis running fastest."""
    numbers = part.numbers(order)
    if min(shape, default=-1) < 0 or math.prod(shape) != numbers.size:
        raise ValueError(f"{numbers.size} numbers for an array of shape {shape}")
    if not np.can_cast(numbers.dtype, dtype, casting="same_kind"):
        raise ValueError(f"numbers of type {numbers.dtype} for an array of type {dtype}")
    return numbers.astype(dtype).reshape(shape, order="F")


def _list_if_flat(array: np.ndarray) -> np.ndarray:
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array
