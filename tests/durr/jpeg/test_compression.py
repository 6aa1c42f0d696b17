"""What is said of a compression: by the file, by its pixels, by the user; twice compressed, resized, hardly at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from durr.jpeg.blockiness import find_pattern
from durr.jpeg.compression import Compression, look_at

Compressed = Callable[..., Image.Image]
Samples = Callable[[Image.Image], np.ndarray]


@pytest.mark.parametrize("quality", [10, 75, 98])
def test_a_files_own_tables_are_believed(
    samples: Samples, photograph: Image.Image, compressed: Compressed, quality: int
) -> None:
    file = compressed(photograph, quality)
    found = look_at(samples(file), table=file.quantization[0])
    assert found == Compression(quality=quality, source="tables", grid=(0, 0))
    assert str(found) == f"quality {quality} by its tables  grid 0,0"
    assert found.slight == (quality == 98)


@pytest.mark.parametrize("shift", [0, 3])
def test_an_earlier_and_stronger_compression_is_seen(
    samples: Samples, photograph: Image.Image, compressed: Compressed, shift: int
) -> None:
    first = samples(compressed(photograph, 20))
    again = compressed(Image.fromarray(first[shift:, shift:]), 98)
    found = look_at(samples(again), table=again.quantization[0])
    assert found == Compression(quality=20, grid=(-shift % 8, -shift % 8), saved=98)
    assert found.notes == ("compressed before at about 20 and saved again at 98",)
    assert not found.slight


def test_the_user_is_believed_and_the_grid_still_sought(
    samples: Samples, photograph: Image.Image, compressed: Compressed
) -> None:
    file = compressed(photograph, 50)
    found = look_at(samples(file)[2:, 1:], told=30)
    assert (found.quality, found.source, found.grid) == (30, "option", (6, 7))
    assert str(found) == "quality 30 as told  grid 6,7"
    assert str(look_at(samples(photograph), told=30)) == "quality 30 as told  grid none"


@pytest.mark.parametrize("scale", [0.75, 1.3, 2.0])
def test_resizing_after_compression_is_suspected(
    samples: Samples, photograph: Image.Image, compressed: Compressed, scale: float
) -> None:
    size = tuple(round(length * scale) for length in photograph.size)
    found = look_at(samples(compressed(photograph, 20).resize(size, Image.Resampling.BICUBIC)))
    assert found.period == pytest.approx(8 * scale, abs=0.03)  # periods are sought in steps of 0.02 pixels
    assert found.resized
    assert not found.slight
    assert found.notes == (
        f"breaks every {8 * scale:.1f} pixels, not 8: resized after compression? Weak ground for a repair",
    )


def test_blocks_that_are_flat_are_seen_by_their_edges(
    samples: Samples, photograph: Image.Image, compressed: Compressed
) -> None:
    flat = samples(compressed(photograph.convert("L"), 2))[3:, 6:, 0]
    found = find_pattern(flat.astype(np.float32))
    assert found is not None
    assert (found.period, found.offset) == (8.0, (5, 2))


def test_what_was_hardly_compressed_is_left_alone(samples: Samples, photograph: Image.Image) -> None:
    nothing = look_at(samples(photograph))
    assert nothing.slight
    assert nothing.notes[0].startswith("no trace of JPEG compression: nothing to repair")
    assert Compression(quality=98, source="tables", grid=(0, 0)).notes == (
        "quality 98: nothing to repair, copied unchanged",
    )
    assert not Compression(quality=97).slight
    assert not Compression(grid=(0, 0)).slight  # blocks whose steps cannot be told


def test_the_record() -> None:
    assert Compression(quality=40, grid=(1, 2)).as_dict() == {
        "quality": 40, "quality_from": "pixels", "grid": [1, 2], "period": None, "saved_again_at": None,
    }  # fmt: skip
