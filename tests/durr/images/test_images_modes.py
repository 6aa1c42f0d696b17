"""Files by other programs: every mode, byte order, compression and layout, against Pillow and tifffile."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.color import lab2rgb

from backbone.errors import InputError
from durr.images.png import PASSES
from durr.images.reader import read_picture
from durr.images.tiff_blocks import TiffPage, assemble
from durr.images.tiff_directory import numbers

Noise = Callable[..., np.ndarray]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    memory = io.BytesIO()
    image.save(memory, format=kind, **options)
    return memory.getvalue()


def of_mode(noise: Noise, mode: str) -> np.ndarray:
    """Samples that Pillow holds in this mode."""
    shape = (70, 33, len(mode)) if mode.startswith("RGB") else (70, 33)
    return noise(shape, {"I;16": "u2", "F": "f4"}.get(mode, "u1"))


def by_tifffile(samples: np.ndarray, **options: object) -> bytes:
    memory = io.BytesIO()
    tifffile.imwrite(memory, samples, **options)
    return memory.getvalue()


def png(header: tuple[int, ...], scanlines: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG file made by hand; header: width, height, depth, colour type, interlace."""
    *first, interlaced = header
    body = [(b"IHDR", struct.pack(">IIBBBBB", *first, 0, 0, interlaced)), *chunks, (b"IDAT", zlib.compress(scanlines))]
    parts = [name + content for name, content in [*body, (b"IEND", b"")]]
    sums = [struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(sums)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_one_bit_becomes_grey(noise: Noise, kind: str) -> None:
    image = Image.fromarray(noise((9, 13))).convert("1")
    picture = read_picture(saved(image, kind))
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("L")))
    assert picture.notes == ("1-bit samples became 8-bit grey",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_a_palette_becomes_rgb(noise: Noise, kind: str) -> None:
    image = Image.fromarray(noise((9, 13, 3))).quantize(7)
    picture = read_picture(saved(image, kind))
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert picture.alpha is None
    assert picture.notes == ("palette converted to RGB",)


def test_transparent_palette_colours_become_alpha(noise: Noise) -> None:
    image = Image.fromarray(noise((9, 13, 3))).quantize(4)
    picture = read_picture(saved(image, "PNG", transparency=bytes([0, 90, 255, 200])))
    assert set(np.unique(picture.alpha)) == {0, 90, 200, 255}
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("depth", "colour"), [(8, 0), (8, 2), (16, 0), (16, 2)])
def test_a_transparent_colour_becomes_alpha(noise: Noise, depth: int, colour: int) -> None:
    dtype, channels = np.dtype(f">u{depth // 8}"), 3 if colour else 1
    samples = noise((6, 5, channels), dtype.newbyteorder("="))
    samples[2, 3] = samples[4, 1]
    lines = np.pad(samples.astype(dtype).view(np.uint8).reshape(6, -1), ((0, 0), (1, 0)))
    key = struct.pack(f">{channels}H", *samples[2, 3].tolist())
    picture = read_picture(png((5, 6, depth, colour, 0), lines.tobytes(), (b"tRNS", key)))
    largest = np.iinfo(samples.dtype).max
    expected = np.where((samples == samples[2, 3]).all(axis=2), 0, largest)
    np.testing.assert_array_equal(picture.alpha, expected.astype(samples.dtype), strict=True)
    np.testing.assert_array_equal(picture.pixels, samples if colour else samples[..., 0], strict=True)
    assert picture.notes == ("transparent colour became alpha",)


def unfiltered(scanlines: np.ndarray, pixel: int) -> np.ndarray:
    """The bytes behind PNG's filters, one after the other as the specification's table 9.1 says."""
    rows = np.zeros((len(scanlines) + 1, scanlines.shape[1] - 1 + pixel), int)
    for y, line in enumerate(scanlines.astype(int), start=1):
        for x in range(pixel, rows.shape[1]):
            left, up, corner = rows[y, x - pixel], rows[y - 1, x], rows[y - 1, x - pixel]
            paeth = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            prediction = (0, left, up, (left + up) // 2, paeth)[line[0]]
            rows[y, x] = (line[1 + x - pixel] + prediction) % 256
    return rows[1:, pixel:].astype(np.uint8)


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_every_filter_of_16_bit_png(noise: Noise, colour: int, channels: int) -> None:
    scanlines = noise((10, 1 + 7 * 2 * channels))
    scanlines[:, 0] = [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]
    picture = read_picture(png((7, 10, 16, colour, 0), scanlines.tobytes()))
    expected = unfiltered(scanlines, 2 * channels).copy().view(">u2").reshape(10, 7, channels)
    colours = expected[..., :3] if channels > 2 else expected[..., 0]
    np.testing.assert_array_equal(picture.pixels, colours.astype(np.uint16), strict=True)
    if channels in (2, 4):
        np.testing.assert_array_equal(picture.alpha, expected[..., -1])


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 13)], ids=str)
def test_interlaced_16_bit_png(noise: Noise, size: tuple[int, int]) -> None:
    samples = noise((*size, 3), "u2")
    passes = [samples[row::down, col::right] for row, col, down, right in PASSES]
    lines = [
        np.pad(part.astype(">u2").view(np.uint8).reshape(len(part), -1), ((0, 0), (1, 0))).tobytes()
        for part in passes
        if part.size
    ]
    picture = read_picture(png((size[1], size[0], 16, 2, 1), b"".join(lines)))
    np.testing.assert_array_equal(picture.pixels, samples)


def test_fewer_bits_of_grey_png() -> None:
    lines = bytes([0, 0b00011011, 0, 0b11100100])
    picture = read_picture(png((4, 2, 2, 0, 0), lines))
    assert picture.pixels.tolist() == [[0, 85, 170, 255], [255, 170, 85, 0]]


def test_cmyk_without_a_profile_is_approximate(noise: Noise) -> None:
    image = Image.fromarray(noise((16, 16, 3))).convert("CMYK")
    for kind in ("JPEG", "TIFF"):
        content = saved(image, kind)
        picture = read_picture(content)
        with Image.open(io.BytesIO(content)) as read:
            np.testing.assert_array_equal(picture.pixels, np.asarray(read.convert("RGB")))
        assert "without a profile" in picture.notes[0]
        assert picture.metadata.icc == b""


def test_a_cmyk_profile_that_is_none_is_told_as_none(noise: Noise) -> None:
    image = Image.fromarray(noise((16, 16, 3))).convert("CMYK")
    picture = read_picture(saved(image, "JPEG", icc_profile=b"no profile at all"))
    assert "without a profile" in picture.notes[0]
    assert picture.metadata.icc == b""


def profile_of_black_ink() -> bytes:
    """A profile of CMYK inks of which only black shows: L* = 100 (1 - K), by a table of the 16 corners (lut8Type)."""
    corners = b"".join(bytes([255 * (1 - corner % 2), 128, 128]) for corner in range(16))
    ramp, identity = bytes(range(256)), struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + 4 * ramp + corners + 3 * ramp
    classes = b"prtrCMYKLab " + bytes(12) + b"acsp"
    illuminant = struct.pack(">3i", 63190, 65536, 54061)
    header = struct.pack(">I4xI", 144 + len(lut), 0x02400000) + classes + bytes(28) + illuminant + bytes(48)
    return header + struct.pack(">I4sII", 1, b"A2B0", 144, len(lut)) + lut


def test_cmyk_by_its_profile() -> None:
    image = Image.new("CMYK", (3, 1))
    image.putdata([(0, 0, 0, 0), (0, 0, 0, 128), (0, 0, 0, 255)])
    picture = read_picture(saved(image, "TIFF", icc_profile=profile_of_black_ink()))
    grey = 255 * lab2rgb(np.array([100 * 127 / 255, 0.0, 0.0]))
    # half a level from rounding and half from the 8 bits of the table
    np.testing.assert_allclose(picture.pixels[0], [[255] * 3, grey, [0] * 3], atol=1)
    assert picture.notes == ("CMYK converted to sRGB by its profile",)
    assert picture.metadata.icc[16:20] == b"RGB "


# Pillow's words and TIFF's numbers
COMPRESSIONS = {"raw": 1, "tiff_lzw": 5, "tiff_adobe_deflate": 8, "packbits": 32773, "lzma": 34925, "zstd": 50000}


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        *product(["L", "RGB", "RGBA", "I;16", "F"], COMPRESSIONS),
        *product(["L", "RGB"], ["jpeg"]),
    ],
)
def test_tiff_by_pillow(noise: Noise, mode: str, compression: str) -> None:
    samples = noise(
        (70, 33, len(mode)) if mode.startswith("RGB") else (70, 33), {"I;16": "u2", "F": "f4"}.get(mode, "u1")
    )
    content = saved(Image.fromarray(samples), "TIFF", compression=compression)
    picture = read_picture(content)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image)
    np.testing.assert_array_equal(picture.pixels, expected[..., :3] if mode == "RGBA" else expected, strict=True)
    if mode == "RGBA":
        np.testing.assert_array_equal(picture.alpha, expected[..., 3])
    assert picture.encoding.tiff_compression == COMPRESSIONS.get(compression, 8)


@pytest.mark.parametrize(("mode", "predictor"), [("L", 2), ("RGB", 2), ("RGBA", 2), ("I;16", 2), ("F", 3)])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_predictors_of_libtiff(noise: Noise, mode: str, predictor: int, compression: str) -> None:
    samples = noise(
        (70, 33, len(mode)) if mode.startswith("RGB") else (70, 33), {"I;16": "u2", "F": "f4"}.get(mode, "u1")
    )
    content = saved(Image.fromarray(samples), "TIFF", compression=compression, tiffinfo={317: predictor})
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        assert file.pages[0].predictor == predictor
    picture = read_picture(content)
    np.testing.assert_array_equal(picture.pixels, samples[..., :3] if mode == "RGBA" else samples)


LAYOUTS: list[dict[str, object]] = [
    {},
    {"tile": (16, 32)},
    {"compression": "zlib"},
    {"compression": "zlib", "tile": (32, 16)},
    {"rowsperstrip": 7},
    {"planarconfig": "separate"},
    {"planarconfig": "separate", "tile": (16, 16), "compression": "zlib"},
]
OF_WHOLE_NUMBERS: list[dict[str, object]] = [
    {"compression": "zlib", "predictor": 2},
    {"compression": "zlib", "predictor": 2, "tile": (16, 16)},
]


@pytest.mark.parametrize(
    ("dtype", "order", "layout"),
    [
        *product(["u1", "u2", "f2", "f4", "f8"], "<>", LAYOUTS),
        *product(["u1", "u2"], "<>", OF_WHOLE_NUMBERS),
        *product(["u1", "u2", "f4"], "<", [{"bigtiff": True}, {"bigtiff": True, "tile": (16, 16)}]),
    ],
    ids=str,
)
def test_tiff_by_tifffile(noise: Noise, dtype: str, order: str, layout: dict[str, object]) -> None:
    samples = noise((45, 37, 3), dtype)
    planes = np.moveaxis(samples, -1, 0) if "planarconfig" in layout else samples
    picture = read_picture(by_tifffile(planes, photometric="rgb", byteorder=order, **layout))
    np.testing.assert_array_equal(picture.pixels, samples, strict=True)
    assert picture.alpha is None


def test_16_bit_colour_under_lzw(noise: Noise) -> None:
    """The commonest of compressed 16-bit files: bytes packed by libtiff, relabelled as 16-bit RGB."""
    samples = noise((21, 16, 3), "u2")
    packed = saved(Image.fromarray(samples.view(np.uint8).reshape(21, -1)), "TIFF", compression="tiff_lzw")
    with tifffile.TiffFile(io.BytesIO(packed)) as file:
        page = file.pages[0]
        blocks = [packed[o : o + n] for o, n in zip(page.dataoffsets, page.databytecounts, strict=True)]
        rows = page.rowsperstrip
    tags = {256: 16, 257: 21, 258: (16, 16, 16), 259: 5, 262: 2, 277: 3, 278: rows}
    page = TiffPage([numbers("<", name, *np.atleast_1d(value).tolist()) for name, value in tags.items()], blocks)
    picture = read_picture(assemble(page, "<"))
    np.testing.assert_array_equal(picture.pixels, samples.view("<u2").astype(np.uint16))


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_white_is_zero(noise: Noise, dtype: str) -> None:
    samples = noise((5, 4), dtype)
    picture = read_picture(by_tifffile(samples, photometric="miniswhite"))
    np.testing.assert_array_equal(picture.pixels, np.iinfo(dtype).max - samples, strict=True)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("kind", "mode"), [*product(["TIFF"], ["RGB", "P", "CMYK", "1"]), *product(["JPEG", "PNG", "WEBP"], ["RGB"])]
)
def test_the_orientation_is_kept_and_not_applied(noise: Noise, kind: str, mode: str, orientation: int) -> None:
    image = Image.fromarray(noise((6, 11, 3))).convert(mode)
    exif = Image.Exif()
    exif[274] = orientation
    picture = read_picture(saved(image, kind, exif=exif.tobytes()))
    assert picture.pixels.shape[:2] == (6, 11)
    found = Image.Exif()
    found.load(picture.metadata.exif)
    assert found[274] == orientation
    if kind in ("TIFF", "PNG"):
        np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("L" if mode == "1" else "RGB")))


def test_big_endian_bigtiff_is_told_by_name(noise: Noise) -> None:
    with pytest.raises(InputError, match="big-endian BigTIFF"):
        read_picture(by_tifffile(noise((4, 4)), bigtiff=True, byteorder=">"))


def test_a_thumbnail_is_no_page(noise: Noise) -> None:
    memory = io.BytesIO()
    with tifffile.TiffWriter(memory) as file:
        file.write(noise((40, 30)), photometric="minisblack")
        file.write(noise((10, 8)), photometric="minisblack", subfiletype=1)
    picture = read_picture(memory.getvalue())
    assert picture.pixels.shape == (40, 30)
    assert picture.metadata.dropped == ("1 thumbnails or masks",)


def test_the_first_of_a_jpeg_with_several_pictures(noise: Noise) -> None:
    first, second = (Image.fromarray(noise((16, width, 3))) for width in (24, 32))
    picture = read_picture(saved(first, "MPO", save_all=True, append_images=[second]))
    assert (picture.format, picture.pixels.shape) == ("JPEG", (16, 24, 3))
    assert "only the first" in picture.notes[0]


def test_floats_beyond_one_are_told_and_kept() -> None:
    samples = np.array([[-1.5, 812.0]], np.float32)
    picture = read_picture(by_tifffile(samples))
    assert picture.pixels.tolist() == samples.tolist()
    assert picture.notes == ("floating samples from -1.5 to 812 are kept as they are; 1 stands for white",)
    assert read_picture(by_tifffile(samples * 0)).notes == ()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_floats_are_counted_and_placed(bad: float) -> None:
    samples = np.zeros((4, 5, 3), np.float32)
    samples[2, 3, 1] = samples[3, 0, 0] = bad
    with pytest.raises(InputError, match="2 NaN or infinite of 60 numbers, first at row 2, column 3, channel 1"):
        read_picture(by_tifffile(samples, photometric="rgb"))


@pytest.mark.parametrize(
    ("samples", "options", "words"),
    [
        (np.zeros((3, 4), "i2"), {}, "signed numbers of 16 bits"),
        (np.zeros((3, 4), "u4"), {}, "whole numbers of 32 bits"),
        (np.zeros((3, 4), "c8"), {}, "complex numbers of 64 bits"),
        (np.zeros((3, 4, 5), "u2"), {"photometric": "minisblack", "planarconfig": "contig"}, "5 channels"),
        (np.zeros((4, 6, 5), "u1"), {"photometric": "rgb", "planarconfig": "contig"}, "5 channels"),
        (np.zeros((3, 4, 3), "u1"), {"photometric": "cielab"}, "kind LAB"),
        (np.zeros((3, 4, 4), "u2"), {"photometric": "separated"}, "CMYK as whole numbers of 16 bits"),
    ],
    ids=["int16", "uint32", "complex", "5 grey", "5 rgb", "lab", "cmyk16"],
)
def test_odd_samples_are_refused(samples: np.ndarray, options: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_picture(by_tifffile(samples, **options))
