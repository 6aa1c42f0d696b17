"""The metadata of a TIFF file: every tag that does not tell how the samples lie."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from durr.images import tiff_layout as tag
from durr.images.metadata import bytes_of
from durr.images.picture import Metadata
from durr.images.tiff_directory import (
    BYTE,
    RATIONAL,
    UNDEFINED,
    Directory,
    Tag,
    byte_order,
    numbers,
    read_directory,
    read_structure,
    structure_bytes,
)

X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, INCH, CENTIMETRE = 282, 283, 296, 2, 3
# metadata among the tags below 700: names, texts, dates, orientation, place, resolution, chromaticities
DESCRIPTIVE = {269, 270, 271, 272, 274, 282, 283, 285, 286, 287, 296, 297, 305, 306, 315, 316, 318, 319, 321, 337}
OF_SAMPLES = set(range(254, 700)) - DESCRIPTIVE  # how they lie, and what is known of their values
NOT_KEPT: Mapping[int, str] = {
    **dict.fromkeys((33628, 33629, 33630, 33631), "MetaMorph's tags, which point into the file"),
    34412: "Zeiss LSM's tag, which points into the file",
    37724: "Photoshop's layers",
    330: "smaller versions of the picture",
}
ELSEWHERE = {tag.XMP, tag.ICC, 32995, 32996, 32997, 32998, 33421, 33422}  # in Metadata, or of the samples


def metadata_of_tags(tags: ImageFileDirectory_v2, icc: bytes, content: bytes) -> Metadata:
    """All tags but those of the samples, as they stand in the file."""
    unit = {INCH: 1.0, CENTIMETRE: 2.54}.get(tags.get(RESOLUTION_UNIT, INCH))
    resolution = [tags.get(name) for name in (X_RESOLUTION, Y_RESOLUTION)]
    dpi = (float(resolution[0]) * unit, float(resolution[1]) * unit) if unit and all(resolution) else None
    found = read_directory(content, tags.offset)
    kept = [entry for entry in found if _is_metadata(entry.name)]
    return Metadata(
        exif=structure_bytes(kept, byte_order(content)) if kept else b"",
        icc=icc,
        dpi=dpi,
        xmp=bytes_of(tags.get(tag.XMP)),
        dropped=tuple(dict.fromkeys(NOT_KEPT[entry.name] for entry in found if entry.name in NOT_KEPT)),
    )


def tags_of(metadata: Metadata, order: str) -> Directory:
    """The tags that say the metadata; order: of the bytes, that of its EXIF if it has any."""
    exif = read_structure(metadata.exif) if metadata.exif else []
    tags = [entry for entry in exif if _is_metadata(entry.name)]
    if metadata.dpi and not {X_RESOLUTION, Y_RESOLUTION} <= {entry.name for entry in tags}:
        names = (X_RESOLUTION, Y_RESOLUTION)
        tags = [entry for entry in tags if entry.name not in (*names, RESOLUTION_UNIT)]
        tags += [_rational(order, name, value) for name, value in zip(names, metadata.dpi, strict=True)]
        tags.append(numbers(order, RESOLUTION_UNIT, INCH))
    blocks = [Tag(tag.ICC, UNDEFINED, metadata.icc), Tag(tag.XMP, BYTE, metadata.xmp)]
    return [*tags, *(block for block in blocks if block.value)]


def _rational(order: str, name: int, value: float) -> Tag:
    ratio = Fraction(value).limit_denominator(10_000)
    return Tag(name, RATIONAL, struct.pack(f"{order}2L", ratio.numerator, ratio.denominator))


def _is_metadata(name: int) -> bool:
    return name not in OF_SAMPLES and name not in ELSEWHERE and name not in NOT_KEPT
