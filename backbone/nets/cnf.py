"""Continuous normalising flow: a density carried from a normal one by a field."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.control import Evolved
from backbone.density import Carried
from backbone.dynamics import Dynamics, Shared
from backbone.flow import Flow
from backbone.grid import Grid
from backbone.nets.neural_ode import TimeField
from backbone.nets.node_ew import WeightVelocity
from backbone.schemes.scheme import Scheme

Points = Float[Tensor, "batch dim"]


class Cnf(nn.Module):
    """x' = f(x, t) from t = 0, where x is standard normal, to the end of the grid, where it has the data's density.

    d log p / dt = -tr df/dx, exact. Chen et al., NeurIPS 2018, eq. (8). rank: of the bottleneck g of weights that
    evolve, theta' = g(theta), as NODE-EW's do; 0: they stand still.
    """

    def __init__(
        self, dim: int, *, hidden: int = 32, rank: int = 0, grid: Grid, scheme: Scheme, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.field = TimeField(dim, hidden, generator)
        n_weights = sum(weight.numel() for weight in self.field.parameters())
        self.velocity = WeightVelocity(n_weights, rank, generator) if rank else None
        self.grid = grid
        self.scheme = scheme

    def dynamics(self) -> Dynamics:
        """x' = f(x, t; theta(t))."""
        return Shared(self.field) if self.velocity is None else Evolved(self.field, self.velocity).along(self.grid)

    def log_density(self, points: Points) -> Float[Tensor, " batch"]:
        """log p of points: they go back to t = 0 and take the change of density along."""
        back = Grid(self.grid.ts[::-1])
        start = torch.cat([points, torch.zeros_like(points[:, :1])], dim=1)
        end = Flow(Carried(self.dynamics()), back, self.scheme).end(start)
        normal = -(end[:, :-1] ** 2).sum(1) / 2 - (end.shape[1] - 1) / 2 * math.log(2 * math.pi)
        return normal - end[:, -1]

    def forward(self, points: Points) -> Float[Tensor, ""]:
        """The mean negative log-likelihood of points."""
        return -self.log_density(points).mean()

    @torch.no_grad()
    def sample(self, n: int, *, generator: torch.Generator) -> Points:
        """n points of the learned density."""
        weight = self.field.leave.weight
        start = torch.randn(n, weight.shape[0], generator=generator, dtype=weight.dtype)
        return Flow(self.dynamics(), self.grid, self.scheme).end(start)
