"""Blockiness: how often edges recur along an axis of a picture, and where a pattern of period 8 begins.

JPEG breaks a picture every 8 pixels. Enlarged or reduced afterwards, it breaks as often as it was enlarged: a comb in
the spectrum of the curvature, summed along the other axis, tells the period.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy.ndimage import median_filter

from durr.jpeg.tables import SIDE

LONGEST, SHORTEST = 33.0, 4.0  # periods that are sought: blocks enlarged 4 times, reduced to a half
PERIODS = np.arange(SHORTEST, LONGEST, 0.02)
BINS = 8192  # of the spectrum
BAND, NEAR = 16, 33  # bins taken together, and bands around one that tell what is usual there
CERTAIN = 40.0  # of a comb, in standard deviations of noise; never compressed, blurred or reduced, stay below 25
EDGE = 4.0  # times the median curvature, above which more is not more
AROUND = 9  # samples over which a profile is flattened

Luma = Float32[np.ndarray, "row col"]
Profile = Float[np.ndarray, " place"]


@dataclass(frozen=True)
class Pattern:
    """period: of breaks in pixels. offset: rows and columns before the first break, if the period is that of JPEG."""

    period: float
    offset: tuple[int, int] | None


def find_pattern(luma: Luma) -> Pattern | None:
    """The period at which a picture breaks along both axes, None if at none."""
    if min(luma.shape) < 4 * SIDE:
        return None
    profiles = [_profile(luma.T), _profile(luma)]  # over rows, over columns
    power = sum(_spectrum(profile) for profile in profiles)
    combs = np.array([_comb(power, period) for period in PERIODS])
    if combs.max() < CERTAIN:
        return None
    period = float(PERIODS[combs.argmax()])
    if abs(period - SIDE) > 0.1:
        return Pattern(period, None)
    row, column = (_phase(profile) for profile in profiles)
    return Pattern(float(SIDE), (row, column))


def _profile(luma: Luma) -> Profile:
    """The mean size of second differences along the columns, by column, less its surroundings, of mean size 1."""
    curvature = np.abs(np.diff(luma, 2, axis=1))
    found = np.minimum(curvature, EDGE * (np.median(curvature) + 1)).mean(axis=0, dtype=np.float64)
    found -= median_filter(found, AROUND, mode="nearest")
    return np.clip(found / (np.abs(found).mean() + 1e-9), -EDGE, EDGE)


def _spectrum(profile: Profile) -> Float[np.ndarray, " bin"]:
    """The power at frequencies k / BINS over that of their surroundings: of mean about 1 where nothing recurs."""
    tapered = (profile - profile.mean()) * np.hanning(len(profile))
    power = np.abs(np.fft.rfft(tapered, BINS)) ** 2
    bands = power[: len(power) // BAND * BAND].reshape(-1, BAND).mean(axis=1)
    usual = median_filter(bands, NEAR, mode="reflect")
    middles = BAND * np.arange(len(bands)) + BAND / 2
    floor = 1e-3 * np.median(usual) + 1e-12  # where a picture has no power at all
    return power / np.maximum(np.interp(np.arange(len(power)), middles, usual), floor)


def _comb(power: Float[np.ndarray, " bin"], period: float) -> float:
    """The power of both axes at the multiples of a frequency, in standard deviations above that of noise."""
    multiples = np.arange(1, int(period / 2) + 1)
    bins = np.rint(multiples * BINS / period).astype(int)
    return float((power[bins].sum() - 2 * len(bins)) / np.sqrt(2 * len(bins)))


def _phase(profile: Profile) -> int:
    """How many pixels lie before the first break of period SIDE: curvature is largest on both sides of it."""
    # the second difference at place k has its middle at pixel k + 1; a break before pixel b shows at b - 1 and b
    usable = profile[: len(profile) // SIDE * SIDE].reshape(-1, SIDE).mean(axis=0)
    both = usable + np.roll(usable, -1)
    return (int(both.argmax()) + 2) % SIDE
