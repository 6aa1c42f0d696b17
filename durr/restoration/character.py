"""Whether noise is what the models were trained on: white, as strong in the dark as in the light, not coded.

All is asked of blocks of a picture without clipped samples, and of the smoothest of them, which show the noise alone.
A texture correlates as smoothed noise does. But the power of noise is nearly the same in all blocks that show nothing
else, that of a texture differs from block to block; and smoothed noise lacks the highest frequencies, while white noise
on a texture has them. Where power differs or high frequencies are there, nothing is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.fft import dctn

from durr.images.channels import LUMA
from durr.restoration.blocks import SIDE, SMOOTHEST, Blocks, Image, blocks_of, mixed_difference

CLIPPED = 0.02  # of a block's samples: it is not asked
FEWEST = 20  # blocks, for anything to be said
NOTICEABLE = 3 / 255  # of the picture's range: what is left in smooth blocks of clean pictures is below this
FAINTEST = 0.02  # quantile of the power of blocks that is compared with that of the smoothest ones
STEADY = 3.5  # deviations of the power of blocks of noise; textures have 4 and more, noise 1 to 3
HIGHEST = 0.68  # share of the deviation in the highest frequencies: smoothed noise 0.65 and less, white 0.94
BINS = 5  # of brightness
DARKEST, USUAL = 0.03, 0.25  # quantiles of the deviation in a bin, whose ratio tells texture
OF_ONE_STRENGTH = 1.5  # that ratio, for a bin to be asked
CODED_SIDE, CODED_WAVES = 8, 6  # JPEG's blocks; sum of the indices from which on waves count as high
CODED_NOISE = 5.0  # of 255, the least deviation in smooth blocks: photographs without noise were JPEGs too
NOTHING, LITTLE = 1.0, 3.0  # of 255: amplitudes of waves that were rounded to zero, and those that no table leaves


@dataclass(frozen=True)
class Character:
    """correlation: of neighbours in the noise, the larger of both axes, 0 where it cannot be told from the picture.

    growth: the deviation in the brightest part over that in the darkest, 1 where it cannot be told. coded: whether high
    waves of JPEG's blocks are zero, or far from it, as rounding leaves them.
    """

    correlation: float = 0.0
    growth: float = 1.0
    coded: bool = False


def character(images: Sequence[Float[np.ndarray, "row col channel"]]) -> Character:
    """Of the noise of one picture, seen in one or more parts that begin at multiples of 8 pixels."""
    if min(min(image.shape[:2]) for image in images) < SIDE:
        return Character()
    channels = [[image[..., k].astype(np.float64) for image in images] for k in range(images[0].shape[2])]
    noticeable = NOTICEABLE * max(float(np.ptp(image)) for image in images)
    asked = [_of_channel(parts, noticeable) for parts in channels]
    weights = np.array(LUMA) if len(channels) == 3 else np.ones(1)
    known = [each for each in asked if each is not None] or [Character()]
    return Character(
        correlation=max(each.correlation for each in known),
        growth=max((each.growth for each in known), key=lambda growth: max(growth, 1 / growth)),
        coded=_is_coded([image.astype(np.float64) @ weights for image in images]),
    )


def _of_channel(parts: Sequence[Image], noticeable: float) -> Character | None:
    """Correlation and growth in one channel; None where its smooth blocks show too little noise, or there are none."""
    samples = np.concatenate([blocks_of(part, SIDE) for part in parts])
    rough = np.concatenate([blocks_of(mixed_difference(part), SIDE) for part in parts])
    open_blocks = ((samples <= 0) | (samples >= 1)).mean(1) < CLIPPED
    if samples.min() < 0 or samples.max() > 1:  # not clipped at all
        open_blocks[:] = True
    samples, deviation = samples[open_blocks], np.sqrt((rough[open_blocks] ** 2).mean(1))
    if len(samples) < FEWEST:
        return None
    left = _without_quadratic(samples)
    strength = np.sqrt((left**2).mean(1))
    faint, smooth = np.quantile(strength, [FAINTEST, SMOOTHEST])
    if smooth < noticeable or faint == 0:
        return None
    correlation = _correlation(left[strength <= smooth] / strength[strength <= smooth, None])
    steady = smooth / faint - 1 < STEADY * _spread(correlation)
    smoothed = np.quantile(deviation, SMOOTHEST) < HIGHEST * smooth
    return Character(correlation if steady and smoothed else 0.0, _growth(samples.mean(1), deviation, noticeable))


def _without_quadratic(samples: Blocks) -> Blocks:
    row, column = np.indices((SIDE, SIDE)).reshape(2, -1) / (SIDE - 1) - 0.5
    quadratic, _ = np.linalg.qr(np.stack([row**0, row, column, row**2, row * column, column**2], axis=1))
    return samples - (samples @ quadratic) @ quadratic.T


def _correlation(left: Blocks) -> float:
    """Of neighbours, the larger of both axes, the median over blocks of power 1."""
    square = left.reshape(-1, SIDE, SIDE)
    along_rows = np.median((square[:, :, 1:] * square[:, :, :-1]).mean((1, 2)))
    along_columns = np.median((square[:, 1:] * square[:, :-1]).mean((1, 2)))
    return float(max(along_rows, along_columns))


def _spread(correlation: float) -> float:
    """Relative deviation of the root mean square of a block of noise that a Gaussian has smoothed.

    A block of n samples of correlation r(k) at distance k has n / (sum of r^2 over all k) degrees of freedom; along one
    axis r(k) = r(1)^(k^2).
    """
    along_an_axis = 1 + 2 * sum(max(correlation, 0.0) ** (2 * k * k) for k in range(1, 5))
    return float(np.sqrt(along_an_axis**2 / (2 * SIDE**2)))


def _growth(mean: Float[np.ndarray, " block"], deviation: Float[np.ndarray, " block"], noticeable: float) -> float:
    """The deviation of the noise in the brightest bin of blocks over that in the darkest one, of those that show it."""
    edges = np.quantile(mean, np.linspace(0, 1, BINS + 1))
    found = []
    for low, high in pairwise(edges):
        inside = deviation[(mean >= low) & (mean <= high)]
        darkest, usual = np.quantile(inside, [DARKEST, USUAL]) if len(inside) >= FEWEST else (0.0, 1.0)
        if noticeable < usual < OF_ONE_STRENGTH * darkest:
            found.append(float(darkest))
    return found[-1] / found[0] if found else 1.0


def _is_coded(parts: Sequence[Image]) -> bool:
    """White or smoothed noise fills all amplitudes of a wave up to its own; rounding to a table leaves gaps."""
    blocks = np.concatenate([blocks_of(255 * part, CODED_SIDE) for part in parts])
    blocks = blocks[((blocks <= 1) | (blocks >= 254)).mean(1) < CLIPPED]
    if len(blocks) < FEWEST or np.quantile(blocks.std(1), SMOOTHEST) < CODED_NOISE:
        return False
    high = np.add.outer(range(CODED_SIDE), range(CODED_SIDE)) >= CODED_WAVES
    size = np.abs(dctn(blocks.reshape(-1, CODED_SIDE, CODED_SIDE), axes=(1, 2), norm="ortho")[:, high])
    zero, much = float((size < NOTHING).mean()), float((size >= LITTLE).mean())
    return zero > 0.3 and zero > 2.5 * (1 - zero - much) and much > 0.02
