"""The baselines of scikit-image: one contract, and noise that grows less."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from durr.baselines import Baseline, bayes_shrink, non_local_means, perona_malik, total_variation
from durr.metrics import psnr

SIGMA = 25 / 255
WAVELETS = pytest.param(bayes_shrink, marks=pytest.mark.bench, id="bayes_shrink")  # PyWavelets is of the bench extra
BASELINES = [perona_malik, total_variation, non_local_means, WAVELETS]


def clean_image(channels: int) -> np.ndarray:
    """A detail of the cat, with fur, edges and smooth parts."""
    detail = data.chelsea()[80:208, 120:248] / 255
    return detail if channels == 3 else detail[..., 1]


def with_noise(clean: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    return (clean + SIGMA * noise).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_keeps_the_contract_and_takes_noise_away(baseline: Baseline, channels: int) -> None:
    clean = clean_image(channels)
    noisy = with_noise(clean)
    kept = noisy.copy()
    restored = baseline(noisy, SIGMA)
    assert isinstance(baseline, Baseline)
    assert (restored.shape, restored.dtype) == (noisy.shape, noisy.dtype)
    np.testing.assert_array_equal(noisy, kept)
    # each gains 6 dB or more here; the mean of the image must not move, in units where sigma / sqrt(n) is 8e-4
    assert psnr(restored, clean, 1.0) > psnr(noisy, clean, 1.0) + 4
    assert restored.mean() == pytest.approx(noisy.mean(), abs=2e-3)


@pytest.mark.parametrize("baseline", BASELINES)
def test_values_outside_the_range_are_not_clipped(baseline: Baseline) -> None:
    noisy = with_noise(clean_image(1)) + 1
    np.testing.assert_allclose(
        baseline(noisy, SIGMA) - 1,
        baseline(noisy - 1, SIGMA),
        rtol=0,
        atol=2e-3,  # iterations of total variation end by a relative change; the others differ by rounding
    )
