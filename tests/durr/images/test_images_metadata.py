"""EXIF, profile, resolution, XMP and the rest come back from every format that holds them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from durr.images.metadata import LONGEST_IN_JPEG, losses
from durr.images.picture import Metadata, Picture
from durr.images.reader import read_picture
from durr.images.writer import encode_picture

Noise = Callable[..., np.ndarray]
PIXELS = np.zeros((4, 6, 3), np.uint8)


def exif_of(block: bytes) -> tuple[dict[int, object], dict[int, object]]:
    """The tags of a block and of its Exif directory, by Pillow."""
    exif = Image.Exif()
    exif.load(block)
    return {name: value for name, value in exif.items() if name != 34665}, exif.get_ifd(34665)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("word", ["png", "jpeg", "tiff", "webp"])
def test_metadata_come_back(metadata: Metadata, word: str, dtype: str) -> None:
    if dtype == "u2" and word in ("jpeg", "webp"):
        return
    picture = Picture(pixels=PIXELS.astype(dtype), metadata=metadata)
    first = read_picture(encode_picture(picture, word))
    for found in (first.metadata, read_picture(encode_picture(first)).metadata):
        tags, inner = exif_of(found.exif)
        assert (tags[274], tags[271], inner[33434]) == (6, "A maker", 0.125)
        assert (found.icc, found.xmp) == (metadata.icc, metadata.xmp)
        if word != "webp":
            # PNG counts whole pixels per metre: half of one is 0.0127 per inch
            np.testing.assert_allclose(found.dpi, metadata.dpi, atol=0.013)


@pytest.mark.parametrize("word", ["png", "jpeg", "webp"])
def test_exif_stays_byte_for_byte(metadata: Metadata, word: str) -> None:
    picture = Picture(pixels=PIXELS, metadata=metadata)
    assert read_picture(encode_picture(picture, word)).metadata.exif == metadata.exif


def test_outside_readers_find_the_metadata(metadata: Metadata) -> None:
    picture = Picture(pixels=PIXELS.astype(np.float32), metadata=metadata)
    with tifffile.TiffFile(io.BytesIO(encode_picture(picture, "tiff"))) as file:
        tags = file.pages[0].tags
        assert tags[34665].value["ExposureTime"] == 0.125
        assert (tags[271].value, int(tags[274].value)) == ("A maker", 6)
        assert (tags[282].value, tags[283].value, int(tags[296].value)) == ((300, 1), (150, 1), 2)
        assert bytes(tags[34675].value) == metadata.icc
        assert bytes(tags[700].value) == metadata.xmp


def test_every_descriptive_tag_of_tiff_stays() -> None:
    """Microscopes and maps: calibration in the description, resolution without a unit, private tags."""
    memory = io.BytesIO()
    private = [(33550, "d", 3, (0.5, 0.5, 0.0), True), (65000, "s", 0, "lens 4", True)]
    tifffile.imwrite(
        memory,
        np.zeros((5, 4), np.uint16),
        description="ImageJ=1.54\nunit=micron",
        resolution=(15.5, 15.5),
        resolutionunit="none",
        software="a microscope",
        extratags=private,
        metadata=None,
    )
    picture = read_picture(memory.getvalue())
    assert picture.metadata.dpi is None
    with tifffile.TiffFile(io.BytesIO(encode_picture(picture))) as file:
        tags = file.pages[0].tags
        assert tags[270].value == "ImageJ=1.54\nunit=micron"
        assert (tags[282].value, int(tags[296].value)) == ((31, 2), 1)
        assert (tags[305].value, tags[33550].value, tags[65000].value) == ("a microscope", (0.5, 0.5, 0.0), "lens 4")


def test_centimetres_become_inches_for_other_formats() -> None:
    memory = io.BytesIO()
    tifffile.imwrite(memory, PIXELS, photometric="rgb", resolution=(100, 200), resolutionunit="centimeter")
    picture = read_picture(memory.getvalue())
    assert picture.metadata.dpi == (254.0, 508.0)
    assert read_picture(encode_picture(picture, "jpeg")).metadata.dpi == (254.0, 508.0)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_png_texts_and_colour_chunks_stay(dtype: str) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "by hand")
    info.add_text("dpi", "a word that is no number")
    info.add_itxt("Title", "Titel", "de", "Titel")
    info.add(b"gAMA", (45455).to_bytes(4, "big"))
    memory = io.BytesIO()
    Image.fromarray(PIXELS).save(memory, format="PNG", pnginfo=info)
    picture = read_picture(memory.getvalue())
    assert picture.metadata.dpi is None
    written = encode_picture(replace(picture, pixels=picture.pixels.astype(dtype)))
    with Image.open(io.BytesIO(written)) as image:
        image.load()
        assert image.text == {"Comment": "by hand", "dpi": "a word that is no number", "Title": "Titel"}
        assert image.info["gamma"] == 0.45455


def test_jpeg_comments_and_captions_stay() -> None:
    caption = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x05abcde\x00"
    memory = io.BytesIO()
    extra = b"\xff\xed" + (len(caption) + 2).to_bytes(2, "big") + caption
    Image.fromarray(PIXELS).save(memory, format="JPEG", comment=b"a word", extra=extra)
    with Image.open(io.BytesIO(encode_picture(read_picture(memory.getvalue())))) as image:
        assert image.info["comment"] == b"a word"
        assert image.info["photoshop"] == {0x0404: b"abcde"}


def test_what_a_format_cannot_keep_is_told(metadata: Metadata) -> None:
    picture = Picture(pixels=PIXELS, metadata=replace(metadata, blocks=((b"tEXt", b"a\0b"),)))
    assert losses(picture, "PNG") == ()
    assert losses(picture, "TIFF") == ("TIFF cannot keep other metadata of PNG",)
    assert losses(picture, "WEBP") == ("WEBP cannot keep the resolution", "WEBP cannot keep other metadata of PNG")
    assert losses(picture, "BMP") == (
        "BMP cannot keep EXIF",
        "BMP cannot keep the colour profile",
        "BMP cannot keep XMP",
        "BMP cannot keep other metadata of PNG",
    )
    assert read_picture(encode_picture(picture, "bmp")).metadata.exif == b""


def test_metadata_too_long_for_jpeg_are_left_out_and_told() -> None:
    longest = Metadata(exif=b"e" * LONGEST_IN_JPEG, xmp=b"x" * LONGEST_IN_JPEG)
    found = read_picture(encode_picture(Picture(pixels=PIXELS, metadata=longest), "jpeg")).metadata
    assert (found.exif, found.xmp) == (longest.exif, longest.xmp)
    too_long = Picture(pixels=PIXELS, metadata=Metadata(exif=longest.exif + b"e", xmp=longest.xmp + b"x"))
    assert losses(too_long, "JPEG") == ("JPEG cannot keep EXIF", "JPEG cannot keep XMP")
    assert read_picture(encode_picture(too_long, "jpeg")).metadata.exif == b""


def test_a_profile_in_a_bmp_is_told_as_lost() -> None:
    """A header of version 5 (BITMAPV5HEADER), 124 bytes, whose colour space is an embedded profile."""
    header = struct.pack("<IiiHHIIiiII", 124, 1, 1, 1, 24, 0, 4, 2835, 2835, 0, 0) + bytes(16) + b"DEBM" + bytes(64)
    content = b"BM" + struct.pack("<IHHI", 14 + 124 + 4, 0, 0, 14 + 124) + header + bytes([1, 2, 3, 0])
    picture = read_picture(content)
    assert picture.pixels.tolist() == [[[3, 2, 1]]]
    assert picture.metadata.dropped == ("colour profile",)


def test_a_profile_of_grey_does_not_go_to_rgb() -> None:
    grey = Picture(pixels=PIXELS[..., 0], metadata=Metadata(icc=bytes(16) + b"GRAY" + bytes(108)))
    assert losses(grey, "WEBP") == ("WEBP cannot keep the colour profile",)
    assert read_picture(encode_picture(grey, "webp")).metadata.icc == b""


def test_damaged_exif_loses_tags_and_not_the_picture() -> None:
    broken = replace(Metadata(), exif=b"II*\0\x08\0\0\0\xff\xff broken")
    for word in ("png", "jpeg", "webp"):
        picture = read_picture(encode_picture(Picture(pixels=PIXELS, metadata=broken), word))
        assert picture.metadata.exif == broken.exif
    picture = Picture(pixels=PIXELS, metadata=broken)
    assert losses(picture, "TIFF") == ("TIFF cannot keep EXIF",)
    assert read_picture(encode_picture(picture, "tiff")).metadata.exif == b""
