"""An account of what of a file came back out: each part kept, converted or dropped, and why.

It is drawn up from the bytes that were written, read again, not from what was meant to be written.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from durr.images.calibration import calibration_of
from durr.images.metadata import losses
from durr.images.picture import Metadata, Picture
from durr.images.tiff_directory import Tag, byte_order, read_structure

ORIENTATION = 274
PER_INCH = 0.02  # PNG counts whole pixels per metre: half of one is 0.0127 per inch
ORDERS: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
OLD_PIXELS = "it holds the old pixels, or tells of them"

OTHER_FORMAT = "as the format of the output has it"
OF_SAMPLES = {"depth", "colours", "alpha"}
IN_LOSSES = {  # parts in the words of `losses`
    "EXIF and tags": "EXIF",
    "orientation": "EXIF",
    "colour profile": "colour profile",
    "resolution": "resolution",
    "XMP": "XMP",
    "other metadata": "other metadata",
}

Fate = Literal["kept", "converted", "dropped"]


class Part(NamedTuple):
    """One part of a file. before, after: in words, long ones as their length and SHA-256; why: unless it is kept."""

    what: str
    fate: Fate
    before: str
    after: str
    why: str = ""


class Fact(NamedTuple):
    """A part to compare, and the same in words. Of a set all must be there again, numbers must be near."""

    value: Any
    words: str


def account(before: Sequence[Picture], after: Sequence[Picture]) -> tuple[Part, ...]:
    """Everything but the colours: the pages of a file, and the same pages in a file that was written from them."""
    was, now = _facts(before), _facts(after)
    first, notes = before[0].metadata, before[0].notes
    lost = losses(before[0], after[0].format)
    parts = [_compared(name, fact, now[name], _reason(name, lost, notes)) for name, fact in was.items() if fact.value]
    still = after[0].metadata.dropped  # an untouched file has them
    gone = [Part(what, "dropped", "in the file", "", OLD_PIXELS) for what in first.dropped if what not in still]
    return (*parts, *gone)


def _reason(what: str, lost: Sequence[str], notes: Sequence[str]) -> str:
    """Why a part is not as it was: what its format cannot keep, or what the reader converted."""
    found = [words for words in lost if what in IN_LOSSES and IN_LOSSES[what] in words]
    converted = notes if what in OF_SAMPLES else ()
    return "; ".join((*found, *converted)) or OTHER_FORMAT


def _compared(what: str, was: Fact, now: Fact, why: str) -> Part:
    if _same(was.value, now.value):
        return Part(what, "kept", was.words, now.words)
    return Part(what, "converted" if now.value else "dropped", was.words, now.words, why)


def _same(was: Any, now: Any) -> bool:
    if isinstance(was, frozenset) and isinstance(now, frozenset):
        return was <= now
    if isinstance(was, tuple) and isinstance(now, tuple):
        return all(abs(one - other) < PER_INCH for one, other in zip(was, now, strict=True))
    return bool(was == now)


def _facts(pages: Sequence[Picture]) -> dict[str, Fact]:
    """The parts of a file, false where there is none."""
    first, found = pages[0], pages[0].metadata
    calibration = calibration_of(found)
    exif = b"".join(page.metadata.exif for page in pages)
    return {
        "format": _words(first.format),
        "pages": _words(str(len(pages))),
        "size": _each(f"{page.pixels.shape[1]} x {page.pixels.shape[0]}" for page in pages),
        "depth": _each(page.depth for page in pages),
        "colours": _each("grey" if page.pixels.ndim == 2 else "RGB" for page in pages),
        "alpha": _block(b"".join(page.alpha.tobytes() for page in pages if page.alpha is not None)),
        "coding": _words("without loss" if first.encoding.lossless else "with loss"),
        "colour profile": _block(found.icc),
        "EXIF and tags": Fact(frozenset().union(*(_tags(page.metadata) for page in pages)), _digest(exif)),
        "orientation": _words(_orientation(found)),
        "resolution": Fact(found.dpi, "" if found.dpi is None else "{:.5g} x {:.5g} per inch".format(*found.dpi)),
        "XMP": _block(found.xmp),
        "other metadata": _block(b"".join(name + content for name, content in found.blocks)),
        "axes and pixel size": _words("" if calibration is None else str(calibration)),
    }


def _words(text: str) -> Fact:
    return Fact(text, text)


def _each(words: Iterable[str]) -> Fact:
    """The words of all pages, each once."""
    return _words(", ".join(dict.fromkeys(words)))


def _block(content: bytes) -> Fact:
    return Fact(content, _digest(content))


def _digest(content: bytes) -> str:
    return f"{len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()}" if content else ""


def _tags(metadata: Metadata) -> frozenset[Any]:
    """All tags with their types and bytes; of a block that is no structure, the block."""
    try:
        return frozenset(read_structure(metadata.exif)) if metadata.exif else frozenset()
    except struct.error:
        return frozenset([metadata.exif])


def _orientation(metadata: Metadata) -> str:
    """How the picture is to be turned, 1 to 8."""
    tags = [entry for entry in _tags(metadata) if isinstance(entry, Tag) and entry.name == ORIENTATION]
    return "".join(str(int.from_bytes(entry.value, ORDERS[byte_order(metadata.exif)])) for entry in tags[:1])
