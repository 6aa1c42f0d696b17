"""WebP files, lossless or lossy as the input was."""

from __future__ import annotations

import io
import struct

from PIL import WebPImagePlugin

from durr.images.metadata import EXIF_PREFIX, metadata_of
from durr.images.picture import Encoding, Picture
from durr.images.samples import from_pillow, to_pillow
from durr.images.source import Source

QUALITY = 95
LARGEST_SIDE = 16383


def read_webp(source: Source) -> Picture:
    """RGB with or without alpha."""
    image = WebPImagePlugin.WebPImageFile(io.BytesIO(source.content))
    source.check_size(*image.size)
    source.check_single(image.n_frames, "frames (animated WebP)")
    image.load()
    samples = from_pillow(image, source)
    return Picture(
        pixels=samples.pixels,
        alpha=samples.alpha,
        format="WEBP",
        metadata=metadata_of(image, icc=samples.icc),
        encoding=Encoding(lossless=_is_lossless(source.content)),
        notes=samples.notes,
    )


def write_webp(picture: Picture) -> bytes:
    """A WebP file; grey is stored as RGB, which is all that the format knows."""
    metadata, lossless = picture.metadata, picture.encoding.lossless
    memory = io.BytesIO()
    to_pillow(picture.pixels, picture.alpha).save(
        memory,
        format="WEBP",
        lossless=lossless,
        quality=QUALITY,
        exact=True,  # colours under a transparent alpha stay
        exif=EXIF_PREFIX + metadata.exif if metadata.exif else b"",
        icc_profile=metadata.icc,
        xmp=metadata.xmp,
    )
    return memory.getvalue()


def _is_lossless(content: bytes) -> bool:
    """Whether the samples lie in a VP8L chunk of the RIFF container, not in VP8."""
    at = 12
    while at + 8 <= len(content):
        name, length = struct.unpack("<4sI", content[at : at + 8])
        if name in (b"VP8L", b"VP8 "):
            return name == b"VP8L"
        at += 8 + length + length % 2
    return False
