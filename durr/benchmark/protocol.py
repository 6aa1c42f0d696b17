"""How a picture is made noisy and how its restoration is judged, the same for every method.

The noise is that of numpy.random.default_rng(0), made anew for each level and drawn picture after picture, so that
figures can be compared with those of other programs to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, UInt8

from durr.metrics import psnr, ssim

PEAK = 255.0


@dataclass(frozen=True)
class Protocol:
    """eight_bit: noisy and restored pictures pass through 8-bit files, clipped and rounded; else neither happens."""

    eight_bit: bool

    @property
    def name(self) -> str:
        """As on the command line."""
        return "8bit" if self.eight_bit else "float"

    def noisy(
        self, pictures: Sequence[UInt8[np.ndarray, ...]], sigma: float
    ) -> Iterator[Float64[np.ndarray, "row col *channel"]]:
        """y = x + sigma n of each picture in turn, n standard normal, on the scale 0..255."""
        generator = np.random.default_rng(0)
        for clean in pictures:
            noisy = clean + sigma * generator.standard_normal(clean.shape)
            yield np.rint(np.clip(noisy, 0, PEAK)) if self.eight_bit else noisy

    def finished(self, restored: Float[np.ndarray, "row col *channel"]) -> Float64[np.ndarray, "row col *channel"]:
        """A restored picture in [0, 1] as it is judged: on 0..255, clipped, and rounded if written as 8-bit."""
        levels = np.clip(restored.astype(np.float64) * PEAK, 0, PEAK)
        return np.rint(levels) if self.eight_bit else levels

    def scores(
        self, restored: Float[np.ndarray, "row col *channel"], clean: UInt8[np.ndarray, "row col *channel"]
    ) -> dict[str, float]:
        """PSNR in dB, SSIM with windows of 7 x 7 (scikit-image's default) and with the papers' Gaussian ones."""
        judged = self.finished(restored)
        return {
            "psnr": psnr(judged, clean, PEAK),
            "ssim": ssim(judged, clean, PEAK),
            "ssim_gaussian": ssim(judged, clean, PEAK, window="gaussian"),
        }
