"""Warnings: never for white noise, whatever the picture and the level; for smoothed, Poisson and compressed noise."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import data

from durr.images.depth import from_unit, to_unit
from durr.restoration.noise import Noise, estimate_noise

TEXTURES = ("grass", "gravel")
COLOURED = ("coffee", "chelsea")
PICTURES = ("camera", "astronaut", "coffee", "brick", "chelsea", "moon", "coins", "page", "text", "rocket", "cell")


def picture(name: str) -> np.ndarray:
    """Grey but for two pictures, to save time."""
    values = to_unit(getattr(data, name)())
    if values.ndim == 3 and name not in COLOURED:
        values = values[..., 1]
    return values if values.ndim == 3 else values[..., None]


def grain(name: str, seed: int = 0) -> np.ndarray:
    """A picture and white noise of deviation 1/255 on it."""
    return np.random.default_rng(seed).standard_normal(picture(name).shape) / 255


def recorded(values: np.ndarray) -> np.ndarray:
    """As an 8-bit file holds it."""
    return to_unit(from_unit(values, np.dtype(np.uint8)))


def smoothed(name: str, width: float, sigma: float) -> Noise:
    noise = gaussian_filter(grain(name), (width, width, 0))
    return estimate_noise([recorded(picture(name) + sigma / 255 * noise / noise.std())])


@pytest.mark.parametrize("name", [*PICTURES, *TEXTURES])
def test_white_noise_is_never_warned_of(name: str) -> None:
    for seed, sigma in enumerate((2, 5, 10, 15, 25, 50, 75)):
        noisy = picture(name) + sigma * grain(name, seed)
        for values in (noisy, recorded(noisy)):
            assert estimate_noise([values]).warnings == (), sigma


@pytest.mark.parametrize("name", PICTURES)
def test_clean_pictures_are_not_warned_of(name: str) -> None:
    assert estimate_noise([picture(name)]).warnings == ()


@pytest.mark.parametrize("sigma", [10, 25, 50])
@pytest.mark.parametrize("name", ["camera", "astronaut", "brick", "coins", "moon", "rocket"])
def test_smoothed_noise_is_warned_of(name: str, sigma: float) -> None:
    # white noise under a Gaussian of width w correlates exp(-1 / (4 w^2)), less what a quadratic takes away
    for width, correlation in ((0.7, 0.55), (1.5, 0.85)):
        found = smoothed(name, width, sigma)
        assert found.kind.correlation == pytest.approx(correlation, abs=0.12)
        assert any("neighbours correlate 0." in words for words in found.warnings)
    if sigma < 50:  # beyond, too few blocks of some pictures are free of clipped samples
        assert any("neighbours correlate 0.2" in words for words in smoothed(name, 0.5, sigma).warnings)


@pytest.mark.parametrize("peak", [30, 100])
@pytest.mark.parametrize("name", ["camera", "coffee", "coins", "rocket", "chelsea"])
def test_noise_of_photons_is_warned_of(name: str, peak: int) -> None:
    counts = np.random.default_rng(0).poisson(np.maximum(picture(name), 0) * peak)
    (words,) = estimate_noise([recorded(counts / peak)]).warnings
    assert "times as strong in the light as in the dark" in words


@pytest.mark.parametrize(("sigma", "quality"), [(15, 50), (25, 50), (25, 80), (50, 30)])
@pytest.mark.parametrize("name", PICTURES)
def test_noise_under_jpeg_is_warned_of(name: str, sigma: float, quality: int) -> None:
    memory = io.BytesIO()
    noisy = from_unit(picture(name) + sigma * grain(name), np.dtype(np.uint8))
    Image.fromarray(noisy.squeeze()).save(memory, format="JPEG", quality=quality)
    values = to_unit(np.asarray(Image.open(memory)))
    values = values if values.ndim == 3 else values[..., None]
    assert any("compressed as JPEG" in words for words in estimate_noise([values]).warnings)
    if sigma == 25:  # parts of the picture, on the grid of blocks
        assert estimate_noise([values[:128, 8:136], values[16:144, 160:288]]).kind.coded


def test_small_pictures_say_nothing() -> None:
    for shape in ((1, 1, 1), (15, 400, 1), (40, 40, 3), (3, 3, 3)):
        values = np.random.default_rng(1).standard_normal(shape)
        assert estimate_noise([gaussian_filter(values, (1, 1, 0))]).warnings == ()
