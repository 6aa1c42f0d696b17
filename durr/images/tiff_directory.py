"""Directories of TIFF structures as they stand: of each tag its type and its bytes (TIFF 6.0 specification, section 2).

Nothing is interpreted, so that what a camera, a microscope or a map wrote comes out as it went in. Files, and the
blocks of EXIF in other files, are such structures; their header tells the byte order of all numbers in them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 1, 2, 3, 4, 5, 7  # types
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
OF_64_BITS = {16: (4, "QL"), 17: (9, "ql"), 18: (13, "QL")}  # in BigTIFF: the type of 32 bits, and struct's words
EXIF, GPS, INTEROPERABILITY = 34665, 34853, 40965  # tags whose value is a directory
WITHIN = {None: (EXIF, GPS), EXIF: (INTEROPERABILITY,), GPS: (), INTEROPERABILITY: ()}


class Tag(NamedTuple):
    """Its number, its type and the bytes of its values, or the directory that it points to."""

    name: int
    kind: int
    value: bytes
    inner: tuple[Tag, ...] | None = None


Directory: TypeAlias = Sequence[Tag]  # a tag may stand there twice, as tifffile's two descriptions do


def byte_order(structure: bytes) -> str:
    """struct's word, "<" or ">", for the order of a structure."""
    return ">" if structure[:2] == b"MM" else "<"


def is_big(structure: bytes) -> bool:
    """Whether offsets have 64 bits (BigTIFF)."""
    return structure[2:4] in (b"+\0", b"\0+")


def read_structure(structure: bytes) -> Directory:
    """The first directory of a structure. Raises struct.error if its header is cut off."""
    order = byte_order(structure)
    word, place = ("Q", 8) if is_big(structure) else ("L", 4)
    return read_directory(structure, struct.unpack_from(order + word, structure, place)[0])


def holds_tags(structure: bytes) -> bool:
    """Whether a block of metadata is a structure with tags."""
    try:
        return len(read_structure(structure)) > 0
    except struct.error:
        return False


def read_directory(structure: bytes, at: int, of: int | None = None) -> Directory:
    """The directory at a place, with those of EXIF and GPS inside it; `of`: the tag that pointed there.

    Tags of unknown types, and those whose values are not all there, are left out. Together they may be no longer than
    the structure: thousands of tags that all point to the same bytes are a forgery.
    """
    found: list[Tag] = []
    room = len(structure)
    for entry in _entries(structure, at):
        room -= len(entry.value)
        if room < 0:
            break
        if entry.name in WITHIN[of]:
            place = int.from_bytes(entry.value, "big" if byte_order(structure) == ">" else "little")
            inner = read_directory(structure, place, entry.name)
            found.append(Tag(entry.name, LONG, b"", tuple(inner)))
        else:
            found.append(entry)
    return found


def structure_bytes(directory: Directory, order: str) -> bytes:
    """A structure of one directory in an order of bytes."""
    return header(order) + directory_bytes(directory, 8, order)


def header(order: str) -> bytes:
    """The beginning of a structure, whose first directory stands right behind it."""
    return (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HL", 42, 8)


def directory_bytes(directory: Directory, at: int, order: str, *, following: int = 0) -> bytes:
    """A directory that stands at a place, then its longer values; an even number of bytes.

    following: the place of the next directory, 0 for none.
    """
    entries = [struct.pack(f"{order}H", len(directory))]
    values: list[bytes] = []
    behind = at + 2 + 12 * len(directory) + 4
    for entry in sorted(directory, key=lambda entry: entry.name):
        value = entry.value
        if entry.inner is not None:
            values.append(directory_bytes(entry.inner, behind, order))
            value = struct.pack(f"{order}L", behind)
            behind += len(values[-1])
        elif len(value) > 4:
            values.append(value + b"\0" * (len(value) % 2))
            value = struct.pack(f"{order}L", behind)
            behind += len(values[-1])
        count = 1 if entry.inner is not None else len(entry.value) // SIZES[entry.kind]
        entries.append(struct.pack(f"{order}HHL", entry.name, entry.kind, count) + value.ljust(4, b"\0"))
    return b"".join([*entries, struct.pack(f"{order}L", following), *values])


def rationals(entry: Tag, order: str) -> list[float]:
    """The values of a tag of fractions; none for other types and for those without a denominator."""
    if entry.kind != RATIONAL:
        return []
    pairs = struct.iter_unpack(f"{order}2L", entry.value)
    return [above / below for above, below in pairs if below]


def numbers(order: str, name: int, *values: int) -> Tag:
    """Whole numbers: of 16 bits if they fit, else of 32."""
    kind, word = (SHORT, "H") if max(values) < 2**16 else (LONG, "L")
    return Tag(name, kind, struct.pack(f"{order}{len(values)}{word}", *values))


def offsets(order: str, name: int, *values: int) -> Tag:
    """Whole numbers of 32 bits, whose length does not depend on them."""
    return Tag(name, LONG, struct.pack(f"{order}{len(values)}L", *values))


def _entries(structure: bytes, at: int) -> Iterator[Tag]:
    """Each tag of the directory at a place, 64 bits brought down to 32."""
    order, big = byte_order(structure), is_big(structure)
    words, entry, inside = ("Q", "HHQ8s", 8) if big else ("H", "HHL4s", 4)
    head, size = struct.calcsize(f"{order}{words}"), struct.calcsize(f"{order}{entry}")
    if at + head > len(structure):
        return
    (count,) = struct.unpack_from(f"{order}{words}", structure, at)
    for place in range(at + head, min(at + head + count * size, len(structure) - size + 1), size):
        name, kind, n_values, field = struct.unpack_from(f"{order}{entry}", structure, place)
        length = n_values * SIZES.get(kind, 0)
        start = int.from_bytes(field, "big" if order == ">" else "little")
        if length == 0 or (length > inside and start + length > len(structure)):
            continue
        value = field[:length] if length <= inside else structure[start : start + length]
        kind, value = _narrowed(order, kind, value) if kind in OF_64_BITS else (kind, value)
        if value:
            yield Tag(name, kind, value)


def _narrowed(order: str, kind: int, value: bytes) -> tuple[int, bytes]:
    """Numbers of 64 bits as such of 32; nothing if they do not fit."""
    narrow, words = OF_64_BITS[kind]
    values = struct.unpack(f"{order}{len(value) // 8}{words[0]}", value)
    try:
        return narrow, struct.pack(f"{order}{len(values)}{words[1]}", *values)
    except struct.error:
        return narrow, b""
