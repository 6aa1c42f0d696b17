"""The perturbations that are allowed: |eta| <= eps in every entry, and x + eta still a picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Perturbation = Float[Tensor, " batch *shape"]


@dataclass(frozen=True, eq=False)
class Box:
    """low <= eta <= high, entry by entry."""

    low: Perturbation
    high: Perturbation

    @classmethod
    def around(cls, x: Perturbation, eps: float) -> Box:
        """|eta| <= eps and 0 <= x + eta <= 1."""
        return cls((-x).clamp_min(-eps), (1 - x).clamp_max(eps))

    def project(self, eta: Perturbation) -> Perturbation:
        """The nearest perturbation that is allowed."""
        return torch.clamp(eta, self.low, self.high)

    def rows(self, chosen: Tensor) -> Box:
        """The box of some of the pictures."""
        return Box(self.low[chosen], self.high[chosen])


def uniform(x: Perturbation, eps: float, generator: torch.Generator) -> Perturbation:
    """U(-eps, eps) in every entry, drawn where the generator lives."""
    drawn = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=generator.device)
    return (eps * (2 * drawn - 1)).to(x.device)
