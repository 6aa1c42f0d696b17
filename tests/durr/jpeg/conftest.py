"""Pictures that were never compressed, and a way to compress them by Pillow."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
import skimage.data
from PIL import Image

Compressed = Callable[..., Image.Image]
Samples = Callable[[Image.Image], np.ndarray]


@pytest.fixture(scope="session")
def photograph() -> Image.Image:
    """A photograph reduced to two thirds, which wipes out what compression it may have had: 384 x 256."""
    return Image.fromarray(skimage.data.coffee()).resize((384, 256), Image.Resampling.LANCZOS)


@pytest.fixture(scope="session")
def compressed() -> Compressed:
    """compressed(picture, quality, **options of Pillow) -> the picture of the JPEG file."""

    def compress(picture: Image.Image, quality: int, **options: object) -> Image.Image:
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality, **options)
        return Image.open(file)

    return compress


@pytest.fixture(scope="session")
def samples() -> Samples:
    """samples(picture) -> its samples with a channel axis."""
    return lambda picture: np.atleast_3d(np.asarray(picture))
