"""What of a damaged JPEG file is read, and in which form results are written."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from backbone.errors import Failure, InputError
from durr.batch.dejpeg import Dejpeg
from durr.batch.denoising import Denoising
from durr.batch.repair import Repair
from durr.images.picture import Picture
from durr.jpeg.compression import Compression
from durr.restorer import Restored


def encoded(**options: object) -> bytes:
    """A JPEG file of 96 x 64 pixels in colour."""
    file = io.BytesIO()
    Image.fromarray(skimage.data.coffee()).resize((96, 64)).save(file, "JPEG", quality=30, **options)
    return file.getvalue()


def read(content: bytes) -> tuple[Picture, str]:
    (picture,), missing = Dejpeg().read(content, max_pixels=10_000, stack=False)
    return picture, missing


def restored(steps: float, compression: Compression | None = None) -> Restored:
    return Restored(image=np.zeros((8, 8), np.uint8), steps=steps, chosen=steps, unfolded=None, compression=compression)


def test_both_are_repairs() -> None:
    assert isinstance(Dejpeg(), Repair)
    assert isinstance(Denoising(), Repair)


@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_there_of_a_file_is_read(progressive: bool) -> None:
    content = encoded(progressive=progressive)
    whole, missing = read(content)
    assert missing == ""
    cut, missing = read(content[: len(content) * 9 // 10])
    assert "truncated" in missing
    assert cut.pixels.shape == whole.pixels.shape
    if not progressive:  # the first rows are those of the whole file
        np.testing.assert_array_equal(cut.pixels[:32], whole.pixels[:32])


def test_other_faults_are_told_as_ever(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("L", (64, 64)).save(file, "PNG")
    for content in (b"", encoded()[:200], file.getvalue()[:60]):
        with pytest.raises(InputError):
            read(content)
    with pytest.raises(InputError, match="above the limit"):
        Dejpeg().read(encoded(), max_pixels=100, stack=False)
    with pytest.raises(InputError, match="cannot find"):
        Dejpeg().read(tmp_path / "none.jpg", max_pixels=100, stack=False)


@pytest.mark.parametrize("progressive", [False, True])
def test_damaged_bytes_are_a_picture_or_a_failure(progressive: bool) -> None:
    content = encoded(progressive=progressive)
    rng = np.random.default_rng(0)
    outcomes = set()
    for trial in range(100):
        bad = bytearray(content[: int(rng.integers(1, len(content)))] if trial % 2 else content)
        for place in rng.integers(0, len(bad), int(rng.integers(0, 4))):
            bad[place] = int(rng.integers(256))
        try:
            outcomes.add("partial" if read(bytes(bad))[1] else "whole")
        except Failure:
            outcomes.add("failed")
    assert outcomes == {"partial", "whole", "failed"}


def test_the_tables_that_did_the_damage_are_not_used_again() -> None:
    picture, _ = read(encoded())
    assert picture.encoding.tables
    result = Dejpeg().result(picture, restored(3.0))
    assert (result.encoding.tables, result.encoding.lossless) == ((), False)


def test_a_warning_where_jpeg_is_written_again() -> None:
    assert "loses part" in Dejpeg().warning("JPEG", [restored(3.0)])
    assert Dejpeg().warning("PNG", [restored(3.0)]) == ""
    assert Dejpeg().warning("JPEG", [restored(0.0)]) == ""


def test_of_several_pages_the_worst_is_told() -> None:
    qualities = (None, 80, 30)
    found = Dejpeg().found([restored(1.0, Compression(quality=quality, grid=(0, 0))) for quality in qualities])
    assert found.words == "quality 30 by its pixels  grid 0,0"
    assert found.facts["quality"] == 30


@pytest.mark.parametrize(("output", "word"), [(None, "png"), ("folder/", "png"), ("-", "png"), ("x.jpg", "keep")])
def test_png_unless_named_otherwise(output: str | None, word: str) -> None:
    assert Dejpeg().format_for(output) == word
    assert Denoising().format_for(output) == "keep"
