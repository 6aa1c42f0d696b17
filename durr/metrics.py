"""How close a restored image is to the clean one: PSNR, PSNR-B and SSIM in float64, the range of the data told."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from jaxtyping import Float64, Num

Window = Literal["uniform", "gaussian"]
BLOCK = 8  # pixels of a JPEG's block each way


def psnr(a: Num[np.ndarray, " *image"], b: Num[np.ndarray, " *image"], data_range: float) -> float:
    """Peak signal-to-noise ratio in dB over all pixels and channels: 10 log10(data_range^2 / mean (a - b)^2).

    Infinite where a equals b. data_range: of the scale, 255 or 1. Raises ValueError if it is not positive.
    """
    _demand_positive(data_range)
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(data_range**2 / error)


def ssim(
    a: Num[np.ndarray, "row col *channel"],
    b: Num[np.ndarray, "row col *channel"],
    data_range: float,
    *,
    window: Window = "uniform",
) -> float:
    """Structural similarity (Wang et al., IEEE TIP 13, 2004, eq. 13), the mean over positions and channels.

    window: "gaussian" is the paper's, 11 x 11 with sigma 1.5; "uniform" is scikit-image's default, 7 x 7 with unbiased
    variances, which reads 0.004 to 0.009 more on photographs: say which when you quote a figure.
    Raises ValueError if a side is smaller than the window, or data_range is not positive.
    """
    from skimage.metrics import structural_similarity

    _demand_positive(data_range)
    index: float = structural_similarity(
        a.astype(np.float64),
        b.astype(np.float64),
        data_range=data_range,
        channel_axis=2 if a.ndim == 3 else None,
        gaussian_weights=window == "gaussian",  # of deviation 1.5, cut off 5 pixels from the centre
        use_sample_covariance=window == "uniform",
    )
    return float(index)


def psnr_b(
    restored: Num[np.ndarray, "row col *channel"], clean: Num[np.ndarray, "row col *channel"], data_range: float
) -> float:
    """PSNR with blocking effect in dB: 10 log10(data_range^2 / (MSE + BEF)), the mean of BEF over channels.

    BEF = eta (D_B - D_C) where that is positive, D the mean squares of differences across the borders of 8 x 8 blocks
    and of all others, eta = log2 8 / log2 of the shorter side (Yim and Bovik, IEEE TIP 20, 2011).
    Raises ValueError if data_range is not positive.
    """
    _demand_positive(data_range)
    values = np.atleast_3d(restored).astype(np.float64)
    error = float(np.mean((values - np.atleast_3d(clean).astype(np.float64)) ** 2))
    effect = float(np.mean([_blocking_effect(values[..., k]) for k in range(values.shape[2])]))
    total = error + effect
    return math.inf if total == 0 else 10 * math.log10(data_range**2 / total)


def _blocking_effect(image: Float64[np.ndarray, "row col"]) -> float:
    """BEF of one channel for blocks of BLOCK pixels that begin in the corner."""
    if min(image.shape) <= BLOCK:
        return 0.0
    squares = [np.diff(image, axis=axis).swapaxes(0, axis) ** 2 for axis in (0, 1)]
    at_border = [np.arange(1, len(square) + 1) % BLOCK == 0 for square in squares]
    across = np.concatenate([square[border].ravel() for square, border in zip(squares, at_border, strict=True)])
    inside = np.concatenate([square[~border].ravel() for square, border in zip(squares, at_border, strict=True)])
    weight = math.log2(BLOCK) / math.log2(min(image.shape))
    return weight * max(float(across.mean() - inside.mean()), 0.0)


def _demand_positive(data_range: float) -> None:
    if not data_range > 0:
        raise ValueError(f"data_range must be positive, got {data_range}")
