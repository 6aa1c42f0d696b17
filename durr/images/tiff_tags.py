"""The metadata of a TIFF file: every tag that does not tell how the samples lie."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from durr.images import tiff_layout as tag
from durr.images.metadata import EXIF_PREFIX, bytes_of
from durr.images.picture import Metadata

DIRECTORIES = (34665, 34853)  # Exif, GPS
INTEROPERABILITY = 40965
# metadata among the tags below 700: names, texts, dates, orientation, resolution, chromaticities
DESCRIPTIVE = {269, 270, 271, 272, 274, 282, 283, 285, 296, 305, 306, 315, 316, 318, 319}
# no metadata above: they have their own place, tell of the samples, or hold Photoshop's layers and ImageJ's stacks
NOT_KEPT = {tag.XMP, tag.ICC, 32995, 32996, 32997, 32998, 33421, 33422, 37724, 50838, 50839}


def metadata_of_tags(tags: ImageFileDirectory_v2, icc: bytes, content: bytes) -> tuple[Metadata, tuple[str, ...]]:
    """All tags but those of the samples, and a note if some cannot be read."""
    unit = {2: 1.0, 3: 2.54}.get(tags.get(296, 2))
    resolution = [tags.get(name) for name in (282, 283)]
    dpi = (float(resolution[0]) * unit, float(resolution[1]) * unit) if unit and all(resolution) else None
    try:
        exif, notes = _exif(tags, content), ()
    except Exception as error:  # tags of any wrong type: they may be lost, the picture is not
        exif, notes = b"", (f"tags cannot be read and are lost: {error}",)
    return Metadata(exif=exif, icc=icc, dpi=dpi, xmp=bytes_of(tags.get(tag.XMP))), notes


def _exif(tags: ImageFileDirectory_v2, content: bytes) -> bytes:
    """The descriptive tags with their Exif and GPS directories, as a TIFF structure of its own."""
    found = Image.Exif()
    found.endian, found.bigtiff = (">" if tags.prefix == b"MM" else "<"), tag.is_big(content)
    found.load_from_fp(io.BytesIO(content), tags.offset)
    kept = Image.Exif()
    for name in filter(_is_metadata, found):
        kept[name] = _value(found, name)
    return kept.tobytes().removeprefix(EXIF_PREFIX) if len(kept) else b""


def tags_of(metadata: Metadata) -> dict[int, Any]:
    """The tags that say the metadata."""
    exif = Image.Exif()
    exif.load(metadata.exif)
    tags = {name: _value(exif, name) for name in exif if _is_metadata(name)}
    if metadata.dpi and not {282, 283} <= set(tags):
        tags |= {282: metadata.dpi[0], 283: metadata.dpi[1], 296: 2}
    return tags | {name: block for name, block in ((tag.ICC, metadata.icc), (tag.XMP, metadata.xmp)) if block}


def _value(exif: Image.Exif, name: int) -> Any:
    """The value of a tag, of a directory its tags but the one that is an offset in the old file."""
    if name not in DIRECTORIES:
        return exif[name]
    return {inner: value for inner, value in exif.get_ifd(name).items() if inner != INTEROPERABILITY}


def _is_metadata(name: int) -> bool:
    return name in DESCRIPTIVE or (name >= 700 and name not in NOT_KEPT)
