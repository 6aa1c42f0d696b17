"""Small pictures of noise, every sample different, so that a wrong order, sign or scale cannot pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from durr.images.picture import Metadata

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
