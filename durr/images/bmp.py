"""BMP files of 8 bits a channel."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

from PIL import BmpImagePlugin

from durr.images.metadata import metadata_of
from durr.images.picture import Picture
from durr.images.samples import from_pillow, to_pillow
from durr.images.source import Source


def read_bmp(source: Source) -> Picture:
    """Grey or RGB, with alpha where the file declares it."""
    image = BmpImagePlugin.BmpImageFile(io.BytesIO(source.content))
    source.check_size(*image.size)
    image.load()
    samples = from_pillow(image, source)
    return Picture(
        pixels=samples.pixels,
        alpha=samples.alpha,
        format="BMP",
        metadata=replace(metadata_of(image, icc=b""), dropped=_dropped(source.content)),
        notes=samples.notes,
    )


def write_bmp(picture: Picture) -> bytes:
    """An uncompressed BMP file with its resolution."""
    memory = io.BytesIO()
    to_pillow(picture.pixels).save(memory, format="BMP", dpi=picture.metadata.dpi or (96, 96))
    return memory.getvalue()


def _dropped(content: bytes) -> tuple[str, ...]:
    """A colour profile, which Pillow does not read: header of version 5, colour space "embedded" or "linked"."""
    (size,) = struct.unpack_from("<I", content, 14)
    return ("colour profile",) if size >= 124 and content[70:74] in (b"DEBM", b"KNIL") else ()
