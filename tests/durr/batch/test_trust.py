"""Everything but the pixels is as it was, behind every repair: read by Pillow and tifffile, never by ourselves."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple, get_args

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from durr.images import Picture, encode_picture
from durr.images.picture import Metadata
from durr.model import Task

Check = Callable[..., None]
SIZES = ((1, 1), (7, 5), (1, 5000))
LARGE = (3000, 4000)
SAMPLES = np.random.default_rng(6).integers(0, 256, (19, 37, 3), dtype=np.uint8)
HELD = {  # the types and the numbers of channels of every format; alpha is the last of 2 and 4
    "png": (("u1", "u2"), (1, 2, 3, 4)),
    "jpeg": (("u1",), (1, 3)),
    "tiff": (("u1", "u2", "f2", "f4", "f8"), (1, 2, 3, 4)),
    "webp": (("u1",), (3, 4)),
    "bmp": (("u1",), (1, 3)),
}


class Case(NamedTuple):
    word: str
    dtype: str
    channels: int
    icc: bool
    exif: bool


CASES = [
    Case(word, dtype, channels, icc, exif)
    for word, (dtypes, counts) in HELD.items()
    for dtype, channels, icc, exif in product(dtypes, counts, (False, True), (False, True))
    if word != "bmp" or not (icc or exif)
]


def content_of(case: Case, size: tuple[int, int], profile: bytes) -> bytes:
    """A file of random samples with the metadata of the case."""
    samples = np.random.default_rng(5).uniform(0, 1, (*size, case.channels))
    samples = (samples * (np.iinfo(case.dtype).max if case.dtype[0] == "u" else 1)).astype(case.dtype)
    exif = Image.Exif()
    exif[274], exif[271], exif[305] = 6, "A maker", "a µscope".encode().decode("latin-1")
    exif.get_ifd(34665)[33434], exif.get_ifd(34665)[37500] = 0.125, b"maker's\0note"
    exif.get_ifd(34853)[2] = (47.0, 30.0, 1.25)
    metadata = Metadata(
        exif=exif.tobytes().removeprefix(b"Exif\0\0") if case.exif else b"",
        icc=profile if case.icc else b"",
        dpi=(300.0, 150.0),
        xmp=b"<x:xmpmeta/>" if case.exif else b"",
    )
    pixels = samples[..., 0] if case.channels < 3 else samples[..., :3]
    alpha = samples[..., -1] if case.channels in (2, 4) else None
    return encode_picture(Picture(pixels=pixels, alpha=alpha, metadata=metadata), case.word)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("word", HELD)
def test_everything_but_the_pixels(word: str, size: tuple[int, int], check_the_rest: Check, srgb: bytes) -> None:
    for number, case in enumerate(case for case in CASES if case.word == word):
        if number % len(SIZES) == SIZES.index(size):  # every case in one of the sizes; all by `-m slow`
            check_the_rest(content_of(case, size, srgb))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "size"),
    [
        *product(CASES, SIZES),
        *((case, LARGE) for case in CASES if case.word == "bmp" or (case.icc and case.exif)),
    ],
    ids=str,
)
def test_everything_but_the_pixels_in_full(
    case: Case, size: tuple[int, int], check_the_rest: Check, srgb: bytes
) -> None:
    check_the_rest(content_of(case, size, srgb))


def by_pillow(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    """A file as Pillow writes it."""
    memory = io.BytesIO()
    Image.fromarray(SAMPLES).convert(mode).save(memory, format=kind, **options)
    return memory.getvalue()


def by_tifffile(dtype: str = "u1", **options: Any) -> bytes:
    memory = io.BytesIO()
    tifffile.imwrite(memory, SAMPLES.astype(dtype), photometric="rgb", **options)
    return memory.getvalue()


def with_density(unit: int, across: int, down: int) -> bytes:
    """A JPEG whose JFIF segment says: pixels per inch (1), per centimetre (2), or the shape of a pixel alone (0)."""
    content = by_pillow("JPEG")
    at = content.index(b"JFIF\0") + 7
    return content[:at] + struct.pack(">BHH", unit, across, down) + content[at + 5 :]


def chunks_of_png() -> PngImagePlugin.PngInfo:
    """Texts of every kind, calibrations, colours of screens, and private words."""
    info = PngImagePlugin.PngInfo()
    info.add_text("A", "b")
    info.add_text("Long", "long " * 100, zip=True)
    info.add_itxt("Title", "µ and ü", "de", "Titel", zip=True)
    for name, content in {
        b"pHYs": struct.pack(">IIB", 3, 4, 0),
        b"tIME": bytes([7, 228, 1, 2, 3, 4, 5]),
        b"cHRM": struct.pack(">8I", *range(31270, 31278)),
        b"cICP": b"\1\r\0\1",
        b"prVt": b"a private word that may be copied",
    }.items():
        info.add(name, content)
    return info


FOREIGN: dict[str, Callable[[], bytes]] = {
    "PNG's chunks": lambda: by_pillow("PNG", pnginfo=chunks_of_png()),
    "PNG grey alpha": lambda: by_pillow("PNG", "LA", dpi=(72, 300)),
    **{f"JPEG density {unit}": lambda unit=unit: with_density(unit, 118, 59) for unit in (0, 1, 2)},
    "JPEG comment": lambda: by_pillow("JPEG", quality=70, subsampling=1, comment=b"a word"),
    "WebP lossless": lambda: by_pillow("WEBP", "RGBA", lossless=True, xmp=b"<x/>"),
    "WebP lossy": lambda: by_pillow("WEBP", "RGBA", quality=60),
    "BMP": lambda: by_pillow("BMP", dpi=(200, 100)),
    **{
        f"TIFF {name}": lambda name=name: by_pillow("TIFF", compression=name, dpi=(300, 72), description="a scan")
        for name in ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "zstd", "lzma")
    },
    **{
        f"TIFF per {unit}": lambda unit=unit: by_tifffile(resolution=(100.5, 1 / 3), resolutionunit=unit)
        for unit in ("none", "inch", "centimeter", "millimeter", "micrometer")
    },
    "TIFF tiles of big-endian floats": lambda: by_tifffile(
        ">f4", tile=(16, 16), byteorder=">", software="a µscope".encode()
    ),
    "TIFF texts and private tags": lambda: by_tifffile(
        "u2",
        description="d µm".encode(),
        metadata=None,
        extratags=[
            (286, "2I", 1, (15, 2), True),
            (297, "H", 2, (3, 7), True),
            (33550, "d", 3, (0.5, 0.5, 0.0), True),
            (65000, "f", 2, (0.1, 7e-9), True),
            (65001, "B", 5, bytes([1, 2, 3, 4, 5]), True),
            (65002, "i", 1, -5, True),
            (65003, "s", 0, "lens µ".encode(), True),
        ],
    ),
}


@pytest.mark.parametrize("task", get_args(Task))
@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_programs(name: str, check_the_rest: Check) -> None:
    check_the_rest(FOREIGN[name]())
