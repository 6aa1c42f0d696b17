"""Batches: a function of seed and step, patches of the pictures, noise of the level that is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbone.errors import InputError, UsageError
from durr.degradation.noise import RECORDED_SHARE, GaussianNoise
from durr.training.patches import DegradedPatches


def source(*, batch: int = 4, size: int = 8, seed: int = 0, sigma_max: float = 51.0) -> DegradedPatches:
    pictures = [np.random.default_rng(k).integers(0, 256, (12 + k, 20, 1), dtype=np.uint8) for k in range(3)]
    return DegradedPatches(pictures, batch=batch, size=size, degradation=GaussianNoise(sigma_max), seed=seed)


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    later = source().after(6)
    for step in (7, 8):
        batch, again = source().batch_of(step), next(later)
        assert torch.equal(batch.degraded, again.degraded)
        assert torch.equal(batch.clean, again.clean)
    assert not torch.equal(source().batch_of(7).degraded, source().batch_of(8).degraded)
    assert not torch.equal(source().batch_of(7).degraded, source(seed=1).batch_of(7).degraded)


def test_patches_are_cut_from_the_pictures_in_all_eight_positions() -> None:
    ramp = np.add.outer(10 * np.arange(9), np.arange(9)).astype(np.uint8)[..., None]
    batch = DegradedPatches([ramp], batch=200, size=8, degradation=GaussianNoise(25.0), seed=0).batch_of(1)
    slopes = set()
    for patch in torch.round(batch.clean[:, 0] * 255).int():
        down, right = int(patch[1, 0] - patch[0, 0]), int(patch[0, 1] - patch[0, 0])
        slopes.add((down, right))
        assert torch.equal(patch, patch[0, 0] + torch.add(torch.arange(8)[:, None] * down, torch.arange(8) * right))
    assert slopes == {(a, b) for a in (10, -10) for b in (1, -1)} | {(b, a) for a in (10, -10) for b in (1, -1)}


def test_the_noise_is_of_the_level_told_and_some_patches_are_as_a_file_holds_them() -> None:
    flat = np.full((70, 70, 1), 128, np.uint8)
    batch = DegradedPatches([flat], batch=200, size=64, degradation=GaussianNoise(51.0), seed=3).batch_of(1)
    found = (batch.degraded - batch.clean).flatten(1).std(1)
    # 4096 samples: 1.1 % standard error of a deviation; clipping at 2.5 sigma and rounding take 3 % at most
    assert ((found - batch.level).abs() < 0.06 * batch.level + 2e-3).all()
    assert batch.level.min() < 0.02
    assert batch.level.max() > 0.18
    stored = ((batch.degraded * 255 - (batch.degraded * 255).round()).abs() < 1e-4).flatten(1).all(1)
    # 200 draws: a standard deviation of 6
    assert abs(int(stored.sum()) - 200 * RECORDED_SHARE) < 20


def test_pictures_that_cannot_serve_are_refused() -> None:
    with pytest.raises(UsageError, match="no pictures"):
        DegradedPatches([], batch=1, size=8, degradation=GaussianNoise(25.0), seed=0)
    with pytest.raises(InputError, match="picture 0 is 12 x 20"):
        source(size=16)
