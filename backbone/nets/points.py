"""The frame of networks that classify points: features padded with zeros to a width, a flow, a linear head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backbone.errors import UsageError
from backbone.flow import EndOf, Flow
from backbone.nets.frame import linear
from backbone.synthetic import Labelled

Points = Float[Tensor, "batch feature"]


@dataclass(frozen=True, kw_only=True)
class PointShape:
    """features: of a point. width: of the state. layers: steps of the flow. t1: its length in time."""

    features: int = 2
    width: int = 8
    layers: int = 16
    t1: float = 5.0
    classes: int = 2

    def __post_init__(self) -> None:
        if self.width < self.features or self.width % 2:
            raise UsageError(
                f"width must be even and at least {self.features}, got {self.width}", where="width", cure="width=8"
            )


class PointNet(nn.Module):
    """Points to logits: pad, flow, linear. halves: another half of the state, zero at first, precedes the features."""

    def __init__(self, shape: PointShape, flow: Flow, *, halves: bool = False, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        self.halves = halves
        self.flow = EndOf(flow)
        self.head = linear(shape.width, shape.classes, generator)

    def forward(self, points: Points) -> Float[Tensor, "batch class"]:
        logits: Tensor = self.head(self.features(points))
        return logits

    def features(self, points: Points) -> Float[Tensor, "batch width"]:
        """What the head classifies: the last state."""
        before = self.shape.width if self.halves else 0
        end: Tensor = self.flow(functional.pad(points, (before, self.shape.width - self.shape.features)))
        return end[:, before:]


def cross_entropy(net: nn.Module, data: Labelled) -> Float[Tensor, ""]:
    """The mean of -log p(label)."""
    return functional.cross_entropy(net(data.points), data.labels)


@torch.no_grad()
def accuracy(net: nn.Module, data: Labelled) -> float:
    """The share of points that the network tells right."""
    return float((net(data.points).argmax(1) == data.labels).double().mean())
