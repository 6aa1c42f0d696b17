"""Neural ODE: one field for all times, solved as finely as asked, and the continuous adjoint for its gradient."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.adaptive import Adaptive
from backbone.adjoint import ContinuousAdjoint
from backbone.dynamics import Shared, Time
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.nets.frame import linear
from backbone.nets.points import PointNet, PointShape
from backbone.schemes.explicit import DormandPrince

States = Float[Tensor, "batch feature"]


class TimeField(nn.Module):
    """f(t, x) = W2 tanh(W1 [x, t] + b1) + b2."""

    def __init__(self, features: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.enter = linear(features + 1, hidden, generator)
        self.leave = linear(hidden, features, generator)

    def forward(self, t: Time, x: States) -> States:
        timed = torch.cat([x, t * torch.ones_like(x[:, :1])], dim=1)
        slope: Tensor = self.leave(torch.tanh(self.enter(timed)))
        return slope


def neural_ode(shape: PointShape, *, hidden: int = 32, tolerance: float = 1e-5, generator: torch.Generator) -> PointNet:
    """Points to logits by x' = f(x, t; theta) to a tolerance. Chen, Rubanova, Bettencourt, Duvenaud, NeurIPS 2018.

    Of the shape, `layers` says nothing here: the solver chooses its steps.
    """
    flow = Flow(
        Shared(TimeField(shape.width, hidden, generator)),
        Grid((0.0, shape.t1)),
        DormandPrince(),
        solve=Adaptive(rtol=tolerance, atol=tolerance),
        gradient=ContinuousAdjoint(),
    )
    return PointNet(shape, flow, generator=generator)
