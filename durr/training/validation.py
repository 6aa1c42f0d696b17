"""Validation during a training: PSNR on held-out pictures at a few noise levels, under the hand-set steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from durr.degrade import LEVELS, add_noise
from durr.metrics import psnr
from durr.training.schedule import FIRST, PER_LEVEL
from durr.unfold import unfold
from durr.unit import RestorationUnit

SIGMAS = (15, 25, 50, 75)  # of 255


class Validation:
    """The mean PSNR in dB per noise level over 8-bit pictures "row col channel", always with the same noise."""

    def __init__(self, pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]], precision: torch.dtype) -> None:
        self.pictures = pictures
        self.precision = precision

    def __call__(self, unit: RestorationUnit) -> dict[int, float]:
        """PSNR by noise level."""
        device = next(unit.parameters()).device
        return {sigma: self._at(unit, sigma, device) for sigma in SIGMAS}

    def _at(self, unit: RestorationUnit, sigma: int, device: torch.device) -> float:
        level = torch.tensor([sigma / LEVELS])
        steps = round(FIRST + PER_LEVEL * sigma / LEVELS)
        generator = torch.Generator().manual_seed(sigma)
        found = []
        for picture in self.pictures:
            clean = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / LEVELS
            restored = self._restored(unit, add_noise(clean, level, generator).to(device), steps)
            found.append(psnr(restored.numpy(), clean.numpy(), 1.0))
        return float(np.mean(found))

    def _restored(
        self, unit: RestorationUnit, noisy: Float[Tensor, "1 channel row col"], steps: int
    ) -> Float[Tensor, "1 channel row col"]:
        lower = self.precision != torch.float32
        with torch.inference_mode(), torch.autocast(noisy.device.type, self.precision, enabled=lower):
            return unfold(unit, noisy, until=None, max_steps=steps).last.float().clamp(0, 1).cpu()
