"""Controls theta(t) beyond one weight set per step: piecewise linear in t, following an equation, many particles."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import Dynamics, Shared, Time, VectorField
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.prolongation import between
from backbone.schemes.explicit import RK4
from backbone.stacking import Weighted

Theta = Float[Tensor, "1 weight"]


class PiecewiseLinear(Dynamics):
    """theta(t) linear between nodes in time: fields[k] holds the weights at nodes.ts[k].

    A step takes theta at its middle, frozen. Raises UsageError if fields and nodes do not fit.
    """

    def __init__(self, fields: Sequence[nn.Module], nodes: Grid) -> None:
        super().__init__()
        if len(fields) != len(nodes.ts):
            raise UsageError(
                f"{len(fields)} fields for {len(nodes.ts)} nodes", where="PiecewiseLinear", cure="give one per node"
            )
        self.fields = nn.ModuleList(fields)
        self.nodes = nodes

    def on(self, t0: float, t1: float) -> VectorField:
        ts, t = self.nodes.ts, (t0 + t1) / 2
        if not min(ts) <= t <= max(ts):
            raise UsageError(
                f"t={t:g} lies outside the nodes [{ts[0]:g}, {ts[-1]:g}]", where="PiecewiseLinear", cure="add nodes"
            )
        right = max(bisect_left(ts, t), 1)
        share = (t - ts[right - 1]) / (ts[right] - ts[right - 1])
        before, after = (dict(self.fields[k].named_parameters()) for k in (right - 1, right))
        theta = {name: torch.lerp(before[name], after[name], share) for name in before}
        return Weighted(self.fields[0], theta)

    def prolong(self, grid: Grid, finer: Grid) -> PiecewiseLinear:
        """The same theta(t) with as many more nodes as there are more steps."""
        nodes = self.nodes.refine(finer.n_steps // grid.n_steps)
        return PiecewiseLinear(between(list(self.fields), self.nodes.ts, nodes.ts), nodes)


class Evolved(nn.Module):
    """dy/dt = f(t, y; theta(t)), theta' = g(t, theta; theta1), theta(t0) = theta0: NODE-EW.

    field: f, whose own parameters are theta0. velocity: g, a field on the flat theta, shape "1 weight". theta is solved
    once for the whole batch. He, Xie, Lin, Neural ODE with evolving weights.
    """

    def __init__(self, field: nn.Module, velocity: nn.Module) -> None:
        super().__init__()
        self.field = field
        self.velocity = velocity

    def along(self, grid: Grid) -> Dynamics:
        """The dynamics with theta solved by RK4 on the grid: at the ends and middles of its steps, where stages lie."""
        fine = grid.refine(2)
        theta0 = torch.cat([weight.reshape(-1) for weight in self.field.parameters()])[None]
        thetas = integrate(Shared(self.velocity), theta0, fine, RK4(), save="all").ys
        return _Along(self.field, fine.ts, [self.weights(theta) for theta in thetas])

    def weights(self, theta: Theta) -> dict[str, Tensor]:
        """A flat theta as weights of the field, by name."""
        named = dict(self.field.named_parameters())
        pieces = torch.split(theta[0], [weight.numel() for weight in named.values()])
        return {name: piece.reshape(named[name].shape) for name, piece in zip(named, pieces, strict=True)}


class _Along(Dynamics):
    """A field whose weights are known at times ts."""

    def __init__(self, field: nn.Module, ts: tuple[float, ...], thetas: Sequence[Mapping[str, Tensor]]) -> None:
        super().__init__()
        self.field = field
        self.ts = ts
        self.thetas = thetas

    def on(self, t0: float, t1: float) -> VectorField:
        def at(t: float, y: Tensor) -> Tensor:
            nearest = min(range(len(self.ts)), key=lambda k: abs(self.ts[k] - t))
            return Weighted(self.field, self.thetas[nearest])(t, y)

        return at


class Particles(nn.Module):
    """dy/dt = 1/M sum_j f(y, theta_j): a network of infinite width by M particles, the mean-field limit.

    total(y, theta): that sum, at once over all particles; theta: "particle weight". An optimiser's step on a particle
    is d loss / d theta_j times M (and the number of layers), for every particle carries the share 1/M.
    """

    def __init__(self, total: Callable[[Tensor, Tensor], Tensor], theta: Float[Tensor, "particle weight"]) -> None:
        super().__init__()
        self.total = total
        self.theta = nn.Parameter(theta.detach().clone())

    def forward(self, t: Time, y: Float[Tensor, " batch *state"]) -> Float[Tensor, " batch *state"]:
        return self.total(y, self.theta) / len(self.theta)
