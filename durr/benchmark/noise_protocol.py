"""How a picture is made noisy and how its restoration is judged, the same for every method.

The noise is that of numpy.random.default_rng(0), made anew for each level and drawn picture after picture, so that
figures can be compared with those of other programs to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64, UInt8

from durr.benchmark.protocol import PEAK, on_file_scale
from durr.metrics import psnr, ssim
from durr.model import Task


@dataclass(frozen=True)
class NoiseProtocol:
    """A `Protocol` of white noise; grades are its standard deviations, on the scale 0..255.

    eight_bit: noisy and restored pictures pass through 8-bit files, clipped and rounded; else neither happens.
    """

    task: ClassVar[Task] = "denoise"
    grade: ClassVar[str] = "sigma"
    eight_bit: bool

    @property
    def name(self) -> str:
        """As on the command line."""
        return "8bit" if self.eight_bit else "float"

    def told(self, grade: float) -> float:
        return grade / PEAK

    def degraded(
        self, pictures: Sequence[UInt8[np.ndarray, ...]], grade: float
    ) -> Iterator[Float64[np.ndarray, "row col *channel"]]:
        """y = x + sigma n of each picture in turn, n standard normal, on the scale 0..255."""
        generator = np.random.default_rng(0)
        for clean in pictures:
            noisy = clean + grade * generator.standard_normal(clean.shape)
            yield np.rint(np.clip(noisy, 0, PEAK)) if self.eight_bit else noisy

    def finished(self, restored: Float[np.ndarray, "row col *channel"]) -> Float64[np.ndarray, "row col *channel"]:
        return on_file_scale(restored, rounded=self.eight_bit)

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
