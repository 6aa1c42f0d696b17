"""Grid and quality from pixels, against files of known quality cut at known places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from durr.jpeg.compression import look_at
from durr.jpeg.grid import Grid, find_grid
from durr.jpeg.windows import luma_windows

Compressed = Callable[..., Image.Image]
Samples = Callable[[Image.Image], np.ndarray]


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("quality", [5, 10, 20, 40, 60, 80, 90, 95])
def test_quality_and_grid_are_found_to_the_last_digit(
    samples: Samples, photograph: Image.Image, compressed: Compressed, mode: str, quality: int
) -> None:
    whole = samples(compressed(photograph.convert(mode), quality))
    for row, column in ((0, 0), (3, 6)):
        found = look_at(whole[row:, column:])
        assert (found.quality, found.source) == (quality, "pixels")
        assert found.grid == (-row % 8, -column % 8)


def test_every_offset(samples: Samples, photograph: Image.Image, compressed: Compressed) -> None:
    whole = samples(compressed(photograph.convert("L"), 50))[:128, :160]
    for row in range(8):
        for column in range(row % 2, 8, 2):
            assert find_grid(luma_windows(whole[row:, column:])) == Grid((-row % 8, -column % 8), 50)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_the_chroma_is_no_matter(
    samples: Samples, photograph: Image.Image, compressed: Compressed, subsampling: str
) -> None:
    assert look_at(samples(compressed(photograph, 70, subsampling=subsampling))).quality == 70


def test_small_pieces_suffice(samples: Samples, photograph: Image.Image, compressed: Compressed) -> None:
    piece = samples(compressed(photograph.convert("L"), 40))[37:101, 50:114]
    found = find_grid(luma_windows(piece))
    assert found is not None
    assert found.offset == (-37 % 8, -50 % 8)
    assert abs(found.quality - 40) <= 2  # 49 blocks


def test_types_of_samples_are_no_matter(samples: Samples, photograph: Image.Image, compressed: Compressed) -> None:
    whole = samples(compressed(photograph.convert("L"), 30))
    assert look_at(whole.astype(np.uint16) * 257) == look_at(whole / np.float32(255)) == look_at(whole)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (15, 300), (1, 5000)])
def test_too_little_to_tell(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 1), dtype=np.uint8)
    assert look_at(noise).grid is None


@pytest.mark.parametrize("radius", [1, 3, 10])
def test_blurred_pictures_have_no_grid_and_no_period(photograph: Image.Image, samples: Samples, radius: int) -> None:
    found = look_at(samples(photograph.filter(ImageFilter.GaussianBlur(radius))))
    assert (found.grid, found.resized) == (None, False)


def test_pictures_without_compression_have_no_grid(samples: Samples, photograph: Image.Image) -> None:
    rng = np.random.default_rng(0)
    clean = samples(photograph)
    noisy = (clean + rng.normal(0, 10, clean.shape)).clip(0, 255).astype(np.uint8)
    steps = np.indices((200, 200)).sum(axis=0)[..., None].astype(np.uint8)
    for picture in (clean, noisy, np.zeros((200, 200, 1), np.uint8), steps, rng.random((200, 200, 3))):
        found = look_at(picture)
        assert (found.grid, found.quality, found.resized) == (None, None, False)
        assert found.slight
