"""Every format times depth times channels: what is written is read again, by this reader and by outside ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import tifffile
from PIL import Image

from durr.images.picture import PREMULTIPLIED, Metadata, Picture
from durr.images.reader import read_picture
from durr.images.samples import interleaved
from durr.images.writer import encode_picture

Noise = Callable[..., np.ndarray]
SIZES = [(1, 1), (1, 9), (7, 1), (5, 7), (65, 33)]
LOSSLESS = [
    *product(["png"], ["u1", "u2"], ["", "3"], [False, True]),
    *product(["tiff"], ["u1", "u2", "f2", "f4", "f8"], ["", "3"], [False, True]),
    *product(["webp"], ["u1"], ["3"], [False, True]),
    *product(["bmp"], ["u1"], ["", "3"], [False]),
]


def picture_of(noise: Noise, size: tuple[int, int], dtype: str, colour: str, with_alpha: bool) -> Picture:
    pixels = noise((*size, 3) if colour else size, dtype)
    return Picture(pixels=pixels, alpha=noise(size, dtype) if with_alpha else None)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("word", "dtype", "colour", "alpha"), LOSSLESS)
def test_what_is_written_is_read_again(
    noise: Noise, size: tuple[int, int], word: str, dtype: str, colour: str, alpha: bool
) -> None:
    picture = picture_of(noise, size, dtype, colour, alpha)
    back = read_picture(encode_picture(picture, word))
    assert back.format == word.upper()
    np.testing.assert_array_equal(back.pixels, picture.pixels, strict=True)
    assert (back.alpha is None) == (picture.alpha is None)
    if picture.alpha is not None:
        np.testing.assert_array_equal(back.alpha, picture.alpha, strict=True)
    again = read_picture(encode_picture(back))  # format "keep"
    np.testing.assert_array_equal(again.pixels, picture.pixels, strict=True)


@pytest.mark.parametrize(("word", "dtype", "colour", "alpha"), [row for row in LOSSLESS if row[1] == "u1"])
def test_pillow_reads_the_same(noise: Noise, word: str, dtype: str, colour: str, alpha: bool) -> None:
    picture = picture_of(noise, (33, 70), dtype, colour, alpha)
    with Image.open(io.BytesIO(encode_picture(picture, word))) as image:
        assert image.format == word.upper()
        samples = np.asarray(image).reshape(33, 70, -1)
    np.testing.assert_array_equal(samples, interleaved(picture.pixels, picture.alpha))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "deflated"])
@pytest.mark.parametrize(("dtype", "colour", "alpha"), [row[1:] for row in LOSSLESS if row[0] == "tiff"])
def test_tifffile_reads_the_same(noise: Noise, dtype: str, colour: str, alpha: bool, packed: bool) -> None:
    picture = picture_of(noise, (300, 170), dtype, colour, alpha)  # several strips
    picture = replace(picture, encoding=replace(picture.encoding, tiff_compression=8 if packed else 1))
    with tifffile.TiffFile(io.BytesIO(encode_picture(picture, "tiff"))) as file:
        samples = file.asarray().reshape(300, 170, -1)
        extra = file.pages[0].extrasamples
    np.testing.assert_array_equal(samples, interleaved(picture.pixels, picture.alpha))
    assert extra == ((tifffile.EXTRASAMPLE.UNASSALPHA,) if alpha else ())


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_pillow_agrees_on_the_high_bytes_of_16_bit_png(noise: Noise, mode: str) -> None:
    """Pillow reads 16-bit colour as its high bytes; 16-bit grey alpha it turns to RGBA."""
    picture = picture_of(noise, (20, 13), "u2", "3" if "RGB" in mode else "", mode.endswith("A"))
    with Image.open(io.BytesIO(encode_picture(picture, "png"))) as image:
        read = np.asarray(image)
    if mode == "L":  # the one kind that Pillow keeps whole
        np.testing.assert_array_equal(read, picture.pixels)
        return
    high = (interleaved(picture.pixels, picture.alpha) >> 8).astype(np.uint8)
    np.testing.assert_array_equal(read, high[..., [0, 0, 0, 1]] if mode == "LA" else high)


def test_jpeg_keeps_tables_and_sampling(noise: Noise) -> None:
    pixels = np.repeat(np.repeat(noise((8, 9, 3)), 8, axis=0), 8, axis=1)
    image = Image.fromarray(pixels)
    for quality, sampling in [(37, 2), (90, 1), (100, 0)]:
        memory = io.BytesIO()
        image.save(memory, format="JPEG", quality=quality, subsampling=sampling)
        first = read_picture(memory.getvalue())
        written = encode_picture(first)
        assert read_picture(written).encoding == first.encoding
        assert first.encoding.sampling == sampling
        with Image.open(memory) as old:
            np.testing.assert_array_equal(np.asarray(old), first.pixels)
            kept = io.BytesIO()
            old.save(kept, format="JPEG", quality="keep")
        np.testing.assert_array_equal(read_picture(written).pixels, read_picture(kept.getvalue()).pixels)


@pytest.mark.parametrize("colour", ["", "3"])
def test_another_format_into_jpeg_gets_quality_95_and_full_chroma(noise: Noise, colour: str) -> None:
    picture = picture_of(noise, (16, 16), "u1", colour, False)
    written = encode_picture(picture, "jpeg")
    memory = io.BytesIO()
    Image.fromarray(picture.pixels).save(memory, format="JPEG", quality=95, subsampling=0)
    np.testing.assert_array_equal(read_picture(written).pixels, read_picture(memory.getvalue()).pixels)


def test_grey_becomes_rgb_in_webp(noise: Noise) -> None:
    picture = picture_of(noise, (9, 8), "u1", "", False)
    back = read_picture(encode_picture(picture, "webp"))
    np.testing.assert_array_equal(back.pixels, np.dstack([picture.pixels] * 3))


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("exif", [b"", b"II*\0\x08\0\0\0\0\0\0\0\0\0"], ids=["bare", "extended"])
def test_webp_is_as_lossless_as_its_input(noise: Noise, lossless: bool, exif: bytes) -> None:
    memory = io.BytesIO()
    Image.fromarray(noise((32, 32, 3))).save(memory, format="WEBP", lossless=lossless, exif=exif)
    first = read_picture(memory.getvalue())
    assert first.encoding.lossless == lossless
    again = read_picture(encode_picture(first))
    assert again.encoding.lossless == lossless
    assert np.array_equal(again.pixels, first.pixels) == lossless


def test_premultiplied_alpha_stays_so(noise: Noise) -> None:
    memory = io.BytesIO()
    samples = noise((6, 5, 4), "u2")
    tifffile.imwrite(memory, samples, photometric="rgb", extrasamples=["assocalpha"])
    picture = read_picture(memory.getvalue())
    assert picture.encoding.extra == PREMULTIPLIED
    with tifffile.TiffFile(io.BytesIO(encode_picture(picture))) as file:
        assert file.pages[0].extrasamples == (tifffile.EXTRASAMPLE.ASSOCALPHA,)
        np.testing.assert_array_equal(file.asarray(), samples)


def test_an_empty_metadata_writes_none() -> None:
    picture = Picture(pixels=np.zeros((2, 2, 3), np.uint8))
    for word in ("png", "jpeg", "tiff", "webp", "bmp"):
        found = read_picture(encode_picture(picture, word)).metadata
        assert (found.exif, found.icc, found.xmp, found.blocks) == (b"", b"", b"", ()), word
    assert read_picture(encode_picture(picture, "png")).metadata == Metadata()
