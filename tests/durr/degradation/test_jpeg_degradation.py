"""JPEG made on the fly: what the encoder gives back, levels that rise with the damage, blocks where they should be."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from backbone.errors import UsageError
from durr.degradation.degradation import Batch, Degradation
from durr.degradation.jpeg import BLOCK, SHIFTED_SHARE, TWICE_SHARE, JpegCompression, compressed, table_scale
from durr.training.patches import DegradedPatches

JPEG = JpegCompression(5, 95)


def error(batch: Batch) -> torch.Tensor:
    return (batch.degraded - batch.clean).square().mean(dim=(1, 2, 3))


def test_a_compressed_picture_is_what_the_file_gives_back(tmp_path) -> None:
    for picture in (skimage.data.camera()[:40, :50, None], skimage.data.astronaut()[:40, :50]):
        file = tmp_path / "a.jpg"
        Image.fromarray(picture.squeeze()).save(file, quality=30, subsampling="4:2:0")
        assert np.array_equal(compressed(picture, 30, "4:2:0").squeeze(), np.asarray(Image.open(file)))
    fine, coarse = (compressed(picture, 90, chroma) for chroma in ("4:4:4", "4:2:0"))
    assert np.abs(fine - picture.astype(float)).mean() < np.abs(coarse - picture.astype(float)).mean()


def test_grades_are_qualities_and_the_error_grows_with_the_level() -> None:
    picture = skimage.data.camera()[100:228, 100:228, None]
    batches = [next(JPEG.graded([picture], quality, stored=True)) for quality in (90, 40, 10)]
    levels = [batch.level.item() for batch in batches]
    assert levels == pytest.approx([0.1, 0.6, 0.9])
    errors = [error(batch).item() for batch in batches]
    assert errors == sorted(errors)
    # a good restorer leaves less than the file has, and not less than a third
    for batch, found in zip(batches, errors, strict=True):
        assert 1 / 3 < JPEG.typical_error(batch.level).item() / found < 1.2
    steps = [JPEG.steps(batch.level).item() for batch in batches]
    assert steps == sorted(steps)


@pytest.mark.parametrize("channels", [1, 3])
def test_patches_are_compressed_at_their_own_level(channels: int) -> None:
    picture = skimage.data.astronaut()[:, :, :channels]
    patches = DegradedPatches([picture], batch=64, size=32, degradation=JPEG, seed=0)
    batch, again = patches.batch_of(3), patches.batch_of(3)
    assert batch.clean.shape == batch.degraded.shape == (64, channels, 32, 32)
    assert torch.equal(batch.degraded, again.degraded)
    qualities = 100 - 100 * batch.level
    assert 5 <= qualities.min() < 15
    assert 85 < qualities.max() <= 95
    heavy, light = batch.level > 0.8, batch.level < 0.2
    assert error(batch)[heavy].mean() > 2 * error(batch)[light].mean()  # chroma of colour is coarse at any quality
    assert set((batch.degraded * 255).round().long().unique().tolist()) <= set(range(256))


def test_coarse_compression_is_drawn_more_often() -> None:
    flat = np.zeros((2000, 16, 16, 1), dtype=np.uint8)
    qualities = 100 - 100 * JPEG.drawn(flat, np.random.default_rng(0)).level
    # the density falls linearly from 5 to 96; four standard deviations of 2000 draws
    for bound in (20, 50, 80):
        expected = 1 - ((96 - bound) / 91) ** 2
        assert (qualities < bound - 0.5).double().mean() == pytest.approx(expected, abs=0.045)


def test_most_patches_begin_with_a_block_and_some_anywhere() -> None:
    ramp = np.add.outer(np.arange(80), 2 * np.arange(80)).astype(np.uint8)[..., None]
    batch = JpegCompression(5, 5).drawn(np.stack([ramp] * 300), np.random.default_rng(0))
    image = batch.degraded[:, 0]
    jumps = (image[..., 1:] - image[..., :-1]).abs().mean(dim=1)
    at_edges = jumps[:, BLOCK - 1 :: BLOCK].mean(dim=1)
    aligned = at_edges > 2 * jumps.median(dim=1).values
    # a second compression makes blocks where the window begins; a shift by (0 ... 7, 0) leaves this axis alone
    share = 1 - SHIFTED_SHARE * (1 - TWICE_SHARE) * 7 / 8
    assert abs(aligned.double().mean() - share) < 0.07  # 300 draws: three standard deviations


def test_it_is_a_degradation_and_refuses_qualities_that_are_none() -> None:
    assert isinstance(JPEG, Degradation)
    assert JPEG.compared == (10, 20, 30, 40, 60, 80)
    assert JpegCompression(20, 30).compared == (20, 30)
    for worst, best in ((0, 50), (50, 100), (60, 40)):
        with pytest.raises(UsageError, match=f"qualities from {worst} to {best}"):
            JpegCompression(worst, best)


def test_the_scale_of_the_tables_is_that_of_the_encoder(tmp_path) -> None:
    def table(quality: int) -> np.ndarray:
        Image.new("L", (8, 8)).save(tmp_path / "q.jpg", quality=quality)
        with Image.open(tmp_path / "q.jpg") as image:
            return np.array(image.quantization[0])

    standard = table(50)  # 100 per cent
    for quality in (10, 30, 75, 90):
        scale = int(table_scale(torch.tensor([float(quality)])).item())  # a whole number in libjpeg
        # rounded down after adding a half, from 1 to 255
        assert np.array_equal(table(quality), np.clip(np.floor((standard * scale + 50) / 100), 1, 255))
