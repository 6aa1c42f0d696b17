"""Degraded images made from clean ones: what the restorer learns to undo."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LEVELS = 255  # of an 8-bit file, above zero


@dataclass(frozen=True, eq=False)
class Batch:
    """clean, noisy: "batch channel row col" in [0, 1]. sigma: the level of each, in the same unit."""

    clean: Float[Tensor, "batch channel row col"]
    noisy: Float[Tensor, "batch channel row col"]
    sigma: Float[Tensor, " batch"]

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(self.clean.to(device), self.noisy.to(device), self.sigma.to(device))


def add_noise(
    clean: Float[Tensor, "batch channel row col"], sigma: Float[Tensor, " batch"], generator: torch.Generator
) -> Float[Tensor, "batch channel row col"]:
    """y = x + sigma * n with standard normal n; sigma in units of [0, 1], one per image. Nothing is clipped."""
    noise = torch.randn(clean.shape, generator=generator, dtype=clean.dtype, device=generator.device)
    return clean + sigma.to(clean).view(-1, 1, 1, 1) * noise.to(clean.device)


def recorded(
    image: Float[Tensor, "batch channel row col"], which: Bool[Tensor, " batch"]
) -> Float[Tensor, "batch channel row col"]:
    """The images of `which` as an 8-bit file holds them, clipped and rounded to 1/255; the others as given."""
    stored = (image.clamp(0, 1) * LEVELS).round() / LEVELS
    return torch.where(which.view(-1, 1, 1, 1), stored, image)
