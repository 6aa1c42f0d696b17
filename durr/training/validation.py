"""Validation during a training: PSNR on held-out pictures at a few grades, under the hand-set steps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from durr.degradation.degradation import Degradation
from durr.metrics import psnr
from durr.unfold import unfold
from durr.unit import RestorationUnit


class Validation:
    """The mean PSNR in dB per grade over 8-bit pictures "row col channel", always degraded in the same way."""

    def __init__(
        self,
        pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]],
        degradation: Degradation,
        precision: torch.dtype,
    ) -> None:
        self.pictures = pictures
        self.degradation = degradation
        self.precision = precision

    def __call__(self, unit: RestorationUnit) -> dict[int, float]:
        """PSNR by grade."""
        device = next(unit.parameters()).device
        return {grade: self._at(unit, grade, device) for grade in self.degradation.watched}

    def _at(self, unit: RestorationUnit, grade: int, device: torch.device) -> float:
        level = torch.tensor([self.degradation.level(grade)])
        steps = round(float(self.degradation.steps(level)))
        found = []
        for batch in self.degradation.graded(self.pictures, grade, stored=self.degradation.forms[0]):
            restored = self._restored(unit, batch.degraded.to(device), steps)
            found.append(psnr(restored.numpy(), batch.clean.numpy(), 1.0))
        return float(np.mean(found))

    def _restored(
        self, unit: RestorationUnit, degraded: Float[Tensor, "1 channel row col"], steps: int
    ) -> Float[Tensor, "1 channel row col"]:
        lower = self.precision != torch.float32
        with torch.inference_mode(), torch.autocast(degraded.device.type, self.precision, enabled=lower):
            return unfold(unit, degraded, until=None, max_steps=steps).last.float().clamp(0, 1).cpu()
