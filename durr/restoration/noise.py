"""Blind estimate of the noise of a picture.

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
from scipy.special import ndtr

from durr.restoration.blocks import SIDE, SMOOTHEST, Image, blocks_of, mixed_difference
from durr.restoration.character import Character, character

SMOOTHEST_OF_WHITE = 0.923  # that quantile of the deviation of white noise 1 over blocks, measured on 10^5 blocks
SATURATED = 0.4  # of a block's samples at 0 or 1: it shows no noise
CORRELATED = 0.15  # white noise gives below 0.05 on pictures, smoothed noise 0.2 to 0.8
GROWING = 1.5  # between darkest and brightest parts of a picture; white noise gives 0.8 to 1.3

PerBlock = Float[np.ndarray, " block"]


@dataclass(frozen=True)
class Noise:
    """sigma: standard deviation for images in [0, 1], 0 where a picture is too small to tell. kind: what it is like."""

    sigma: float
    kind: Character

    @property
    def warnings(self) -> tuple[str, ...]:
        """What speaks against restoring this picture by a model of white noise."""
        found = []
        if self.kind.coded:
            found.append("noise was compressed as JPEG: try dejpeg first, or expect traces of the noise to stay")
        if self.kind.correlation > CORRELATED:
            found.append(
                f"noise is not white, neighbours correlate {self.kind.correlation:.1f}: was the picture compressed,"
                " enlarged or smoothed before? Expect traces of the noise to stay"
            )
        if not found and not 1 / GROWING < self.kind.growth < GROWING:
            found.append(
                f"noise is {self.kind.growth:.1f} times as strong in the light as in the dark; the models were trained"
                " on noise of one strength; try --noise-map"
            )
        return tuple(found)


def estimate_noise(images: Sequence[Float[np.ndarray, "row col channel"]]) -> Noise:
    """The noise of one picture, seen in one or more parts of it, mean square over its channels.

    Parts begin at multiples of 8 pixels, or JPEG is not seen in them.
    """
    channels = [[image[..., k] for image in images] for k in range(images[0].shape[2])]
    sigma = float(np.sqrt(np.mean([_deviation(parts) ** 2 for parts in channels])))
    return Noise(sigma, character(images))


def _deviation(parts: Sequence[Image]) -> float:
    """The deviation of the noise of one channel."""
    side = min(SIDE, *(min(part.shape) for part in parts))
    if side < 3:  # the second difference needs three samples
        return 0.0
    samples = np.concatenate([blocks_of(part.astype(np.float64), side) for part in parts])
    rough = np.concatenate([blocks_of(mixed_difference(part.astype(np.float64)), side) for part in parts])
    clipped = min(part.min() for part in parts) >= 0 and max(part.max() for part in parts) <= 1
    if clipped:
        open_blocks = ((samples <= 0) | (samples >= 1)).mean(1) < SATURATED
        if open_blocks.any():
            samples, rough = samples[open_blocks], rough[open_blocks]
    deviation = np.sqrt((rough**2).mean(1))
    if clipped:
        deviation = deviation_before_clipping(samples.mean(1), deviation)
    few = SMOOTHEST_OF_WHITE if len(deviation) > 1 else 1.0
    return float(np.quantile(deviation, SMOOTHEST)) / few


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
