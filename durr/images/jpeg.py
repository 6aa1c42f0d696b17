"""JPEG files: read as grey or RGB, written with the quantisation tables and the chroma subsampling of the input."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

from PIL import JpegImagePlugin

from durr.images.metadata import EXIF_PREFIX, metadata_of
from durr.images.picture import Encoding, Metadata, Picture
from durr.images.samples import from_pillow, to_pillow
from durr.images.source import Source

QUALITY = 95  # where the input has no tables: the last but one step before files grow without a visible gain
LARGEST_SIDE = 65500  # of libjpeg
# segments without a place in Metadata: (marker, beginning)
KEPT = {
    "APP1": (0xFFE1, b"http://ns.adobe.com/xmp/extension/\x00"),
    "APP13": (0xFFED, b"Photoshop 3.0\x00"),
    "COM": (0xFFFE, b""),
}
JFIF = b"JFIF\x00"
DENSITY_BYTES = 12  # of a JFIF segment: name, version, unit and density; a thumbnail behind them shows the old pixels
# what Metadata has elsewhere, and what tells how the samples were packed
ELSEWHERE = (JFIF, b"Exif\x00", b"http://ns.adobe.com/xap/1.0/\x00", b"ICC_PROFILE\x00", b"Adobe\x00")


def read_jpeg(source: Source) -> Picture:
    """The picture of a JPEG file; of several in one file (MPO: previews, gain maps, stereo) the first."""
    image = JpegImagePlugin.JpegImageFile(io.BytesIO(source.content))
    source.check_size(*image.size)
    image.load()
    samples = from_pillow(image, source)
    notes = samples.notes
    if "mp" in image.info:
        notes += ("only the first of several pictures in the file is taken (no gain map, preview or second view)",)
    return Picture(
        pixels=samples.pixels,
        format="JPEG",
        metadata=_metadata(image, samples.icc),
        encoding=_encoding(image),
        notes=notes,
    )


def write_jpeg(picture: Picture) -> bytes:
    """A JPEG file; not progressive, for which Pillow's buffer is too small at the finest tables."""
    metadata, encoding = picture.metadata, picture.encoding
    memory = io.BytesIO()
    to_pillow(picture.pixels).save(
        memory,
        format="JPEG",
        quality=-1 if encoding.tables else QUALITY,  # -1: the tables as they are
        qtables=list(encoding.tables) or None,
        subsampling=encoding.sampling if encoding.tables else 0,
        exif=EXIF_PREFIX + metadata.exif if metadata.exif else b"",
        icc_profile=metadata.icc,
        dpi=metadata.dpi or (0, 0),
        xmp=metadata.xmp,
        extra=b"".join(marker + struct.pack(">H", len(content) + 2) + content for marker, content in metadata.blocks),
    )
    return _with_density(memory.getvalue(), metadata.density)


def _with_density(content: bytes, density: bytes) -> bytes:
    """A file of Pillow's, which begins with a JFIF segment, with another pixel density there, in its unit or none."""
    at = content.index(JFIF)
    return content[:at] + density + content[at + len(density) :]


def _metadata(image: JpegImagePlugin.JpegImageFile, icc: bytes) -> Metadata:
    """What Pillow found, and the segments that it has no place for."""
    density = next((content for name, content in image.applist if name == "APP0" and content.startswith(JFIF)), b"")
    kept = [segment for segment in image.applist if _is_kept(*segment)]
    gone = [segment for segment in image.applist if not _is_kept(*segment) and not segment[1].startswith(ELSEWHERE)]
    return replace(
        metadata_of(image, icc=icc),
        density=density[:DENSITY_BYTES] if len(density) >= DENSITY_BYTES else b"",
        blocks=tuple((struct.pack(">H", KEPT[name][0]), content) for name, content in kept),
        dropped=tuple(
            f"{name} segment {content[:16].split(bytes(1))[0].decode('latin-1')!r}" for name, content in gone
        ),
    )


def _word(content: bytes) -> str:
    """What a segment begins with, up to a zero."""
    return content[:16].split(b"\0")[0].decode("latin-1")


def _is_kept(name: str, content: bytes) -> bool:
    return name in KEPT and content.startswith(KEPT[name][1])


def _encoding(image: JpegImagePlugin.JpegImageFile) -> Encoding:
    """Tables and subsampling; no tables where an encoder could not take them."""
    tables = image.quantization
    usable = sorted(tables) == list(range(len(tables))) and all(min(table) > 0 for table in tables.values())
    return Encoding(
        lossless=False,
        tables=tuple(tuple(tables[k]) for k in sorted(tables)) if usable else (),
        sampling=JpegImagePlugin.get_sampling(image) if image.layers == 3 else 0,
    )
