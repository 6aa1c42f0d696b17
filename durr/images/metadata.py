"""Metadata as Pillow gives it, and what each format keeps of it."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from durr.images.picture import Format, Metadata, Picture
from durr.images.tiff_directory import holds_tags

EXIF_PREFIX = b"Exif\x00\x00"
LONGEST_IN_JPEG = 65504  # bytes of XMP in one segment of 65 535 with its length and name; EXIF could be 23 more


def metadata_of(image: Image.Image, *, icc: bytes) -> Metadata:
    """What Pillow found in a PNG, JPEG, WebP or BMP file. icc: of the samples after their conversion."""
    info = image.info
    dpi = info.get("dpi")
    return Metadata(
        exif=bytes_of(info.get("exif")).removeprefix(EXIF_PREFIX),
        icc=icc,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
        xmp=bytes_of(info.get("xmp")),
    )


def bytes_of(value: object) -> bytes:
    """A block of metadata, empty where a file has none or something else in its place."""
    return value if isinstance(value, bytes) else b""


def kept_metadata(picture: Picture, target: Format) -> Metadata:
    """The part of a picture's metadata that a file of the target's format can hold."""
    found = picture.metadata
    if picture.format != target:
        found = replace(found, density=b"", blocks=())
    if target == "BMP":
        return replace(found, exif=b"", icc=b"", xmp=b"")
    if target == "WEBP":  # RGB only
        return replace(found, dpi=None, icc=b"" if found.icc[16:20] == b"GRAY" else found.icc)
    if target == "JPEG":
        exif, xmp = (block if len(block) <= LONGEST_IN_JPEG else b"" for block in (found.exif, found.xmp))
        return replace(found, exif=exif, xmp=xmp)
    if target == "TIFF" and not holds_tags(found.exif):  # its tags become the file's own
        return replace(found, exif=b"")
    return found


def losses(picture: Picture, target: Format) -> tuple[str, ...]:
    """What a file of the target's format will not keep of a picture's metadata, in words for the user."""
    found, kept = picture.metadata, kept_metadata(picture, target)
    words = {
        "EXIF": (found.exif, kept.exif),
        "the colour profile": (found.icc, kept.icc),
        "the resolution": (found.dpi, kept.dpi),
        "XMP": (found.xmp, kept.xmp),
        f"other metadata of {picture.format}": (found.blocks, kept.blocks),
    }
    return tuple(f"{target} cannot keep {what}" for what, (before, after) in words.items() if before != after)
