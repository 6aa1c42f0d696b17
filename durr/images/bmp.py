"""BMP files of 8 bits a channel."""

from __future__ import annotations

import io

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
        metadata=metadata_of(image, icc=b""),
        notes=samples.notes,
    )


def write_bmp(picture: Picture) -> bytes:
    """An uncompressed BMP file with its resolution."""
    memory = io.BytesIO()
    to_pillow(picture.pixels).save(memory, format="BMP", dpi=picture.metadata.dpi or (96, 96))
    return memory.getvalue()
