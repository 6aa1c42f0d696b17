"""Dropout with random numbers of its own."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Dropout(nn.Module):
    """In training every entry is zero with probability p, else divided by 1 - p; after eval() nothing is done.

    Srivastava et al., J. Mach. Learn. Res. 15 (2014). generator: draws on its own device, None only for p = 0.
    """

    def __init__(self, p: float, generator: torch.Generator | None) -> None:
        super().__init__()
        assert generator is not None or p == 0.0
        self.p = p
        self.generator = generator

    def forward(self, x: Float[Tensor, "*entry"]) -> Float[Tensor, "*entry"]:
        if self.generator is None or not self.training or self.p == 0.0:
            return x
        numbers = torch.rand(x.shape, generator=self.generator, device=self.generator.device)
        return x * (numbers >= self.p).to(x) / (1.0 - self.p)
