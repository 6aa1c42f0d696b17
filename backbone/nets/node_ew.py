"""NODE-EW: a neural ODE whose weights follow an equation of their own."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.control import Evolved
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.nets.frame import linear
from backbone.nets.neural_ode import TimeField
from backbone.schemes.scheme import Scheme

States = Float[Tensor, "batch feature"]


class NodeEw(nn.Module):
    """x' = f(x, t; theta(t)), theta' = g(theta; theta1), theta(0) = theta0; trained are theta0 and theta1.

    He, Xie, Lin, Neural ODE with evolving weights. theta is solved once a batch, by RK4 on the same grid. Autograd
    gives the exact gradient: the adjoint printed there lacks (df/dtheta)^T a in the equation for b, without which
    both gradients vanish. g: bottleneck of `rank` tanh neurons.
    """

    def __init__(
        self, features: int, *, hidden: int = 32, rank: int = 8, grid: Grid, scheme: Scheme, generator: torch.Generator
    ) -> None:
        super().__init__()
        field = TimeField(features, hidden, generator)
        n_weights = sum(weight.numel() for weight in field.parameters())
        self.evolved = Evolved(field, WeightVelocity(n_weights, rank, generator))
        self.grid = grid
        self.scheme = scheme

    def forward(self, x: States) -> States:
        return Flow(self.evolved.along(self.grid), self.grid, self.scheme).end(x)


class WeightVelocity(nn.Module):
    """g(theta) = W2 tanh(W1 theta + b1), W2 zero at first: the weights stand still and the net is a neural ODE."""

    def __init__(self, n_weights: int, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.enter = linear(n_weights, rank, generator)
        self.leave = linear(rank, n_weights, generator)
        nn.init.zeros_(self.leave.weight)

    def forward(self, t: float, theta: Float[Tensor, "1 weight"]) -> Float[Tensor, "1 weight"]:
        slope: Tensor = self.leave(torch.tanh(self.enter(theta)))
        return slope
