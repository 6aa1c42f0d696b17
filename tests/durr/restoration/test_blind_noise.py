"""The blind estimate against noise of known strength on scikit-image's pictures."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from durr.images.depth import from_unit, to_unit
from durr.restoration.noise import clipped_moments, deviation_before_clipping, estimate_noise

PICTURES = ("camera", "astronaut", "coffee", "brick", "chelsea", "moon")


def picture(name: str) -> np.ndarray:
    values = to_unit(getattr(data, name)())
    return values if values.ndim == 3 else values[..., None]


def noisy(name: str, sigma: float) -> np.ndarray:
    clean = picture(name)
    return clean + np.float32(sigma / 255) * np.random.default_rng(0).standard_normal(clean.shape, dtype=np.float32)


@pytest.mark.parametrize("sigma", [5, 15, 25, 50, 75])
@pytest.mark.parametrize("name", PICTURES)
def test_the_strength_of_white_noise_is_found(name: str, sigma: float) -> None:
    found = estimate_noise([noisy(name, sigma)])
    assert 255 * found.sigma == pytest.approx(sigma, rel=0.1)  # fine texture adds to weak noise: 5.5 for 5 on coffee
    assert found.warnings == ()


@pytest.mark.parametrize("sigma", [5, 15, 25, 50, 75])
@pytest.mark.parametrize("name", PICTURES)
def test_clipped_and_quantised_noise_is_seen_through(name: str, sigma: float) -> None:
    found = estimate_noise([to_unit(from_unit(noisy(name, sigma), np.dtype(np.uint8)))])
    assert 255 * found.sigma == pytest.approx(sigma, rel=0.1)  # clipping alone would take a fifth off 75
    assert found.warnings == ()


@pytest.mark.parametrize("name", PICTURES)
def test_a_clean_picture_has_little_noise(name: str) -> None:
    assert 255 * estimate_noise([picture(name)]).sigma < 2.0  # the pictures' own noise and texture


def test_parts_are_pooled() -> None:
    image = noisy("camera", 25)
    parts = [image[:192, :192], image[300:492, 300:492]]
    assert 255 * estimate_noise(parts).sigma == pytest.approx(25, rel=0.1)  # as on the whole


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 9), (3, 3), (5, 40)])
def test_tiny_pictures(rows: int, columns: int) -> None:
    values = np.random.default_rng(1).standard_normal((rows, columns, 1))
    found = estimate_noise([values])
    assert (found.sigma > 0) == (min(rows, columns) >= 3)
    assert found.warnings == ()


def test_clipped_moments_are_those_of_clipped_samples() -> None:
    centre, sigma = np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.3, 0.05])
    samples = np.clip(centre + sigma * np.random.default_rng(0).standard_normal((400_000, 3)), 0, 1)
    mean, deviation = clipped_moments(centre, sigma)
    np.testing.assert_allclose(mean, samples.mean(0), atol=2e-3)  # 3 sigma / sqrt(400 000) = 1.4e-3
    np.testing.assert_allclose(deviation, samples.std(0), atol=2e-3)
    np.testing.assert_allclose(deviation_before_clipping(mean, deviation), sigma, rtol=1e-3)  # 30 rounds
