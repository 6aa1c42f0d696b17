"""White Gaussian noise of any level; some pictures as an 8-bit file holds them, clipped and rounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from durr.degradation.degradation import Batch, as_tensor

LEVELS = 255  # of an 8-bit file, above zero
RECORDED_SHARE = 0.25  # of the patches look as an 8-bit file would hold them
FIRST, PER_LEVEL = 1.5, 23.0  # unfoldings: FIRST + PER_LEVEL sigma, about 4 for sigma 25/255 and 8 for 75/255
ERROR_PER_LEVEL, ERROR_FLOOR = 0.02, 1e-4  # about the mean squared error a good denoiser leaves at level sigma
WATCHED = (15, 25, 50, 75)
COMPARED = (15, 25, 35, 45, 55, 65, 75, 85, 95)


@dataclass(frozen=True)
class GaussianNoise:
    """y = x + sigma n, sigma uniform from 0 to sigma_max; that and grades are on the scale of 255, levels of [0, 1]."""

    name: ClassVar[str] = "denoise"
    forms: ClassVar[tuple[bool, ...]] = (False, True)
    margin: ClassVar[int] = 0
    depth: ClassVar[int] = 2  # less than 300 000 numbers with the policy
    sigma_max: float

    @property
    def strongest(self) -> float:
        return self.sigma_max / LEVELS

    @property
    def watched(self) -> tuple[int, ...]:
        """Also beyond what is trained: the unit is to carry that far."""
        return WATCHED

    @property
    def compared(self) -> tuple[int, ...]:
        """As far as the training goes."""
        within = tuple(grade for grade in COMPARED if grade <= self.sigma_max)
        return within or (round(self.sigma_max),)

    def level(self, grade: int) -> float:
        return grade / LEVELS

    def steps(self, level: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        return FIRST + PER_LEVEL * level

    def typical_error(self, level: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        return ERROR_PER_LEVEL * level + ERROR_FLOOR

    def drawn(self, clean: UInt8[np.ndarray, "batch row col channel"], choice: np.random.Generator) -> Batch:
        images = as_tensor(clean)
        sigma = torch.from_numpy(choice.uniform(0.0, self.strongest, len(clean))).float()
        generator = torch.Generator().manual_seed(int(choice.integers(2**62)))
        stored = torch.from_numpy(choice.uniform(size=len(clean)) < RECORDED_SHARE)
        return Batch(images, recorded(add_noise(images, sigma, generator), stored), sigma)

    def graded(
        self, pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]], grade: int, *, stored: bool
    ) -> Iterator[Batch]:
        sigma = torch.tensor([self.level(grade)])
        generator = torch.Generator().manual_seed(grade)
        for picture in pictures:
            clean = as_tensor(picture[None])
            noisy = add_noise(clean, sigma, generator)
            yield Batch(clean, recorded(noisy, torch.tensor([stored])), sigma)

    def as_dict(self) -> dict[str, Any]:
        return {"sigma_max": self.sigma_max}


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
