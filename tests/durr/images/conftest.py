"""Small pictures of noise, every sample different, so that a wrong order, sign or scale cannot pass."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from durr.images.picture import Metadata, Picture
from durr.images.writer import encode_picture

Noise = Callable[..., np.ndarray]


@pytest.fixture
def noise() -> Noise:
    """noise(shape, dtype): every value of a whole-number type, or normal numbers beyond [0, 1]."""

    def make(shape: tuple[int, ...], dtype: str | type = "u1") -> np.ndarray:
        generator = np.random.default_rng(sum(shape))
        kind = np.dtype(dtype)
        if kind.kind == "f":
            return generator.normal(size=shape).astype(kind)
        return generator.integers(0, np.iinfo(kind).max, shape, dtype=kind, endpoint=True)

    return make


@pytest.fixture
def metadata(srgb: bytes) -> Metadata:
    """EXIF with an orientation, a maker and an exposure time, a profile, a resolution and XMP."""
    exif = Image.Exif()
    exif[274], exif[271] = 6, "A maker"
    exif.get_ifd(34665)[33434] = 0.125
    return Metadata(exif=exif.tobytes().removeprefix(b"Exif\0\0"), icc=srgb, dpi=(300.0, 150.0), xmp=b"<x:xmpmeta/>")


@pytest.fixture
def by_pillow() -> Callable[..., bytes]:
    """by_pillow(image, kind, options...) -> a file as Pillow writes it."""

    def save(image: Image.Image, kind: str, **options: object) -> bytes:
        memory = io.BytesIO()
        image.save(memory, format=kind, **options)
        return memory.getvalue()

    return save


@pytest.fixture
def seeds(noise: Noise, metadata: Metadata, by_pillow: Callable[..., bytes]) -> dict[str, bytes]:
    """One small file of every kind that has a way of its own through the readers."""
    pixels = noise((13, 17, 3))
    image = Image.fromarray(pixels)
    picture = Picture(pixels=pixels, metadata=metadata)
    deep = replace(picture, pixels=pixels.astype(np.uint16) * 257)
    tiles = io.BytesIO()
    tifffile.imwrite(tiles, deep.pixels, tile=(16, 16), byteorder=">")
    return {
        **{word: encode_picture(picture, word) for word in ("png", "jpeg", "webp", "bmp", "tiff")},
        "16-bit png": encode_picture(deep, "png"),
        "16-bit tiff": encode_picture(replace(deep, alpha=deep.pixels[..., 0]), "tiff"),
        "float tiff": encode_picture(replace(picture, pixels=picture.as_float()), "tiff"),
        "tiles": tiles.getvalue(),
        "palette png": by_pillow(image.quantize(7), "PNG"),
        "palette tiff": by_pillow(image.quantize(7), "TIFF", compression="tiff_lzw"),
        "palette bmp": by_pillow(image.quantize(7), "BMP"),
        "lzw": by_pillow(image, "TIFF", compression="tiff_lzw"),
        "jpeg in tiff": by_pillow(image, "TIFF", compression="jpeg"),
        "cmyk": by_pillow(image.convert("CMYK"), "JPEG"),
        "progressive": by_pillow(image, "JPEG", progressive=True),
        "lossless webp": by_pillow(image.convert("RGBA"), "WEBP", lossless=True),
    }


@pytest.fixture
def with_right_checksums() -> Callable[[bytes], bytes]:
    """with_right_checksums(content) -> the PNG whose chunks have the checksums of what they hold."""

    def repaired(content: bytes) -> bytes:
        at, parts = 8, [content[:8]]
        while at + 8 <= len(content):
            length = int.from_bytes(content[at : at + 4], "big")
            named = content[at + 4 : at + 8 + length]
            parts.append(content[at : at + 4] + named + struct.pack(">I", zlib.crc32(named)))
            at += 12 + length
        return b"".join(parts)

    return repaired
