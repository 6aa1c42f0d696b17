"""PSNR, PSNR-B and SSIM against closed forms, scikit-image and the papers' formula written out with SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import correlate2d
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from durr.metrics import psnr, psnr_b, ssim

ROUNDING = 1e-12  # float64, sums of some thousand terms of order one


def pair(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    clean = generator.uniform(0, 255, shape)
    return clean + 20 * generator.standard_normal(shape), clean


def wang(a: np.ndarray, b: np.ndarray, data_range: float) -> float:
    """Wang et al. (2004), eq. 13 to 16: windows of 11 x 11 inside the image, weights of a Gaussian of deviation 1.5."""
    line = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(line, line) / line.sum() ** 2

    def mean(x: np.ndarray) -> np.ndarray:
        return correlate2d(x, weights, mode="valid")

    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    ma, mb = mean(a), mean(b)
    va, vb, cov = mean(a * a) - ma**2, mean(b * b) - mb**2, mean(a * b) - ma * mb
    index = (2 * ma * mb + c1) * (2 * cov + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return float(index.mean())


@pytest.mark.parametrize("shape", [(32, 40), (32, 40, 3)])
def test_psnr_is_scikit_images(shape: tuple[int, ...]) -> None:
    a, b = pair(*shape)
    assert psnr(a, b, 255.0) == pytest.approx(peak_signal_noise_ratio(b, a, data_range=255.0), rel=ROUNDING)


def test_psnr_in_closed_form() -> None:
    zero = np.zeros((8, 8))
    assert psnr(zero, zero + 5.1, 255.0) == pytest.approx(20 * math.log10(50), rel=ROUNDING)
    assert psnr(zero, zero + 5.1 / 255, 1.0) == pytest.approx(20 * math.log10(50), rel=ROUNDING)
    assert psnr(zero, zero, 255.0) == math.inf


def test_whole_numbers_do_not_wrap_around() -> None:
    black, white = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    assert psnr(black, white, 255.0) == psnr(white, black, 255.0) == 0.0


@pytest.mark.parametrize("shape", [(32, 40), (32, 40, 3)])
def test_uniform_ssim_is_scikit_images_default(shape: tuple[int, ...]) -> None:
    a, b = pair(*shape)
    axis = 2 if len(shape) == 3 else None
    assert ssim(a, b, 255.0) == structural_similarity(a, b, data_range=255, channel_axis=axis)


def test_gaussian_ssim_is_the_papers() -> None:
    a, b = pair(32, 40)
    assert ssim(a, b, 255.0, window="gaussian") == pytest.approx(
        wang(a, b, 255.0), rel=1e-10
    )  # variances cancel digits
    colour_a, colour_b = np.stack([a, b, a], axis=2), np.stack([b, b, b], axis=2)
    by_channel = (2 * wang(a, b, 255.0) + 1) / 3
    assert ssim(colour_a, colour_b, 255.0, window="gaussian") == pytest.approx(by_channel, rel=1e-10)


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_ssim_of_flat_images_in_closed_form(window: str) -> None:
    a, b, c1 = 100.0, 120.0, (0.01 * 255.0) ** 2
    flat = np.ones((16, 16))
    expected = (2 * a * b + c1) / (a * a + b * b + c1)
    assert ssim(a * flat, b * flat, 255.0, window=window) == pytest.approx(
        expected, rel=1e-10
    )  # variances cancel digits
    assert ssim(a * flat, a * flat, 255.0, window=window) == pytest.approx(1.0, rel=ROUNDING)


@pytest.mark.parametrize("data_range", [0.0, -1.0, math.nan])
@pytest.mark.parametrize("metric", [psnr, ssim])
def test_a_range_must_be_positive(metric: object, data_range: float) -> None:
    a, b = pair(16, 16)
    with pytest.raises(ValueError, match="data_range must be positive"):
        metric(a, b, data_range)


def test_psnr_b_by_hand() -> None:
    clean = np.zeros((16, 16))
    blocks = np.kron([[0.0, 4.0], [4.0, 8.0]], np.ones((8, 8)))  # steps of 4 across the borders, none inside
    error = np.mean(blocks**2)  # (0 + 16 + 16 + 64) / 4
    effect = np.log2(8) / np.log2(16) * 4.0**2
    assert psnr_b(blocks, clean, 255.0) == pytest.approx(10 * np.log10(255**2 / (error + effect)), rel=ROUNDING)
    colour = np.stack([blocks, clean, clean], axis=2)  # means over channels
    expected = 10 * np.log10(255**2 / ((error + effect) / 3))
    assert psnr_b(colour, np.zeros_like(colour), 255.0) == pytest.approx(expected, rel=ROUNDING)


def test_psnr_b_is_psnr_where_borders_are_no_rougher_than_the_rest() -> None:
    inside = np.kron(np.arange(4.0), np.ones((24, 8)))[:, 3:27]  # steps, but not at multiples of 8
    assert psnr_b(inside, np.zeros_like(inside), 255.0) == psnr(inside, np.zeros_like(inside), 255.0)
    assert psnr_b(inside, inside, 255.0) == psnr(inside, inside, 255.0) == math.inf
    assert psnr_b(inside[:8, :8], np.zeros((8, 8)), 255.0) == psnr(inside[:8, :8], np.zeros((8, 8)), 255.0)
    with pytest.raises(ValueError, match="data_range must be positive"):
        psnr_b(inside, inside, 0.0)
