"""A network cut behind its first layer, the only one that sees the input."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class Stemmed(nn.Module):
    """x -> rest(first(x)): perturbations of the input enter the dynamics through `first` alone."""

    def __init__(self, first: nn.Module, rest: nn.Module) -> None:
        super().__init__()
        self.first = first
        self.rest = rest

    def forward(self, x: Float[Tensor, " batch *shape"]) -> Float[Tensor, "batch class"]:
        logits: Tensor = self.rest(self.first(x))
        return logits
