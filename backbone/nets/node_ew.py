"""NODE-EW: a neural ODE whose weights follow an equation of their own."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from backbone.control import Evolved
from backbone.dynamics import Shared
from backbone.flow import Flow
from backbone.gradients import Gradient
from backbone.grid import Grid
from backbone.nets.frame import linear
from backbone.nets.neural_ode import TimeField
from backbone.schemes.scheme import Scheme
from backbone.solve import Solve

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


class JointNodeEw(nn.Module):
    """A NODE-EW solved as one system for states and weights: for any solve and gradient, the adjoint among them.

    The adjoint of that system is the printed one with the term that it lacks: b' = -(df/dtheta)^T a - (dg/dtheta)^T b.
    """

    def __init__(
        self, evolved: Evolved, features: int, grid: Grid, scheme: Scheme, *, solve: Solve, gradient: Gradient
    ) -> None:
        super().__init__()
        joint = JointField(evolved, features)
        self.flow = Flow(Shared(joint), grid, scheme, solve=solve, gradient=gradient)
        self.evolved = evolved

    def forward(self, x: States) -> States:
        theta0 = [weight.reshape(-1) for weight in self.evolved.field.parameters()]
        end = self.flow.end(torch.cat([x.reshape(-1), *theta0])[None])
        return end[0, : x.numel()].reshape(x.shape)


class JointField(nn.Module):
    """(x, theta)' = (f(x, t; theta), g(theta)) of one flat state, the samples' features first, "1 entry"."""

    def __init__(self, evolved: Evolved, features: int) -> None:
        super().__init__()
        self.evolved = evolved
        self.features = features
        self.n_weights = sum(weight.numel() for weight in evolved.field.parameters())

    def forward(self, t: float, z: Float[Tensor, "1 entry"]) -> Float[Tensor, "1 entry"]:
        theta = z[:, -self.n_weights :]
        x = z[0, : -self.n_weights].reshape(-1, self.features)
        slope = functional_call(self.evolved.field, self.evolved.weights(theta), (t, x))
        return torch.cat([slope.reshape(1, -1), self.evolved.velocity(t, theta)], dim=1)


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
