"""Blind estimate of the noise of a picture: how strong it is, and whether it is white.

The picture is cut into blocks. In each the mixed second difference (1, -2, 1) x (1, -2, 1), which is blind to planes,
has the standard deviation of the noise (Immerkaer, Computer Vision and Image Understanding 64, 1996); the smoothest
blocks show the noise alone. Samples that were clipped to [0, 1] have a smaller deviation than the noise had: mean and
deviation of the clipped normal distribution are inverted block by block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from scipy.ndimage import correlate1d
from scipy.special import ndtr

SIDE = 16  # rows and columns of a block
SMOOTHEST = 0.2  # share of the blocks that are taken to show noise alone
SMOOTHEST_OF_WHITE = 0.923  # that quantile of the deviation of white noise 1 over blocks, measured on 10^5 blocks
SATURATED = 0.4  # of a block's samples at 0 or 1: it shows no noise
CORRELATED = 0.25  # white noise gives below 0.05 on pictures, blurred, enlarged or strongly compressed noise 0.3 to 0.7
NOTICEABLE = 3 / 255  # what is left in smooth blocks of a clean picture, and correlates, is below this

Image = Float[np.ndarray, "row col"]
Blocks = Float[np.ndarray, "block pixel"]
PerBlock = Float[np.ndarray, " block"]


@dataclass(frozen=True)
class Noise:
    """sigma: standard deviation for images in [0, 1], 0 where a picture is too small to tell.

    correlation: of neighbours in what is left of smooth blocks, the larger of both axes; 0 for white noise.
    """

    sigma: float
    correlation: float

    @property
    def warning(self) -> str | None:
        """What speaks against restoring this picture by a model of white noise."""
        if self.correlation < CORRELATED:
            return None
        return (
            f"noise is not white, neighbours correlate {self.correlation:.1f}: was the picture compressed, enlarged or"
            " smoothed before? Expect traces of the noise to stay"
        )


def estimate_noise(images: Sequence[Float[np.ndarray, "row col channel"]]) -> Noise:
    """The noise of one picture, seen in one or more parts of it, mean square over its channels."""
    channels = [[image[..., k] for image in images] for k in range(images[0].shape[2])]
    estimates = [_estimate(parts) for parts in channels]
    sigma = float(np.sqrt(np.mean([estimate.sigma**2 for estimate in estimates])))
    return Noise(sigma, max(estimate.correlation for estimate in estimates))


def _estimate(parts: Sequence[Image]) -> Noise:
    """The noise of one channel."""
    side = min(SIDE, *(min(part.shape) for part in parts))
    if side < 3:  # the second difference needs three samples
        return Noise(0.0, 0.0)
    samples = np.concatenate([_blocks(part.astype(np.float64), side) for part in parts])
    rough = np.concatenate([_blocks(_mixed_difference(part.astype(np.float64)), side) for part in parts])
    clipped = min(part.min() for part in parts) >= 0 and max(part.max() for part in parts) <= 1
    if clipped:
        open_blocks = ((samples <= 0) | (samples >= 1)).mean(1) < SATURATED
        if open_blocks.any():
            samples, rough = samples[open_blocks], rough[open_blocks]
    deviation = np.sqrt((rough**2).mean(1))
    if clipped:
        deviation = deviation_before_clipping(samples.mean(1), deviation)
    few = SMOOTHEST_OF_WHITE if len(deviation) > 1 else 1.0
    sigma = float(np.quantile(deviation, SMOOTHEST)) / few
    return Noise(sigma, _correlation(samples, side) if side == SIDE else 0.0)


def _blocks(image: Image, side: int) -> Blocks:
    """All whole squares of an image, each in one row."""
    rows, columns = (length // side for length in image.shape)
    whole = image[: rows * side, : columns * side].reshape(rows, side, columns, side)
    return whole.swapaxes(1, 2).reshape(rows * columns, side * side)


def _mixed_difference(image: Image) -> Image:
    """Second differences along both axes, scaled so that white noise keeps its deviation."""
    weights = np.array([1.0, -2.0, 1.0]) / np.sqrt(6.0)
    return correlate1d(correlate1d(image, weights, axis=0), weights, axis=1)


def _correlation(samples: Blocks, side: int) -> float:
    """Correlation of neighbours in the smoothest blocks once a quadratic is taken away; 0 if little is left."""
    row, column = np.indices((side, side)).reshape(2, -1) / (side - 1) - 0.5
    smooth, _ = np.linalg.qr(np.stack([row**0, row, column, row**2, row * column, column**2], axis=1))
    left = samples - (samples @ smooth) @ smooth.T
    power = (left**2).mean(1)
    left = left[power <= np.quantile(power, SMOOTHEST)].reshape(-1, side, side)
    power = (left**2).mean((1, 2))
    if np.sqrt(np.median(power)) < NOTICEABLE:
        return 0.0
    along_rows = np.median((left[:, :, 1:] * left[:, :, :-1]).mean((1, 2)) / power)
    along_columns = np.median((left[:, 1:] * left[:, :-1]).mean((1, 2)) / power)
    return float(max(along_rows, along_columns))


def deviation_before_clipping(mean: PerBlock, deviation: PerBlock) -> PerBlock:
    """The deviation that normal samples had before clipping to [0, 1] gave them this mean and deviation."""
    deviation = np.maximum(deviation, 1e-6)
    centre, sigma = mean, deviation
    for _ in range(30):  # a fixed point; the rounds reach 1e-3 of it where half of the samples were clipped
        clipped_mean, clipped_deviation = clipped_moments(centre, sigma)
        centre = np.clip(centre + mean - clipped_mean, -1.0, 2.0)
        sigma = np.clip(sigma * deviation / clipped_deviation, 1e-6, 1.0)
    return sigma


def clipped_moments(
    centre: Float64[np.ndarray, " block"], sigma: Float64[np.ndarray, " block"]
) -> tuple[Float64[np.ndarray, " block"], Float64[np.ndarray, " block"]]:
    """Mean and deviation of min(max(z, 0), 1) for normal z; closed forms."""
    low, high = -centre / sigma, (1 - centre) / sigma
    inside, above = ndtr(high) - ndtr(low), ndtr(-high)
    density_low, density_high = (np.exp(-(edge**2) / 2) / np.sqrt(2 * np.pi) for edge in (low, high))
    mean = centre * inside + sigma * (density_low - density_high) + above
    square = (centre**2 + sigma**2) * inside + sigma * (centre * density_low - (centre + 1) * density_high) + above
    return mean, np.sqrt(np.maximum(square - mean**2, 1e-12))
