"""Flow: a network that is a solve, its layers the steps and its depth the time."""

from __future__ import annotations

from jaxtyping import Inexact
from torch import Tensor, nn

from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.integrate import Save, Trajectory, integrate
from backbone.schemes.scheme import Scheme
from backbone.solve import Sequential, Solve


class Flow(nn.Module):
    """y0 -> integrate(f, y0, ...), with everything but the state bound; the weights are those of f and the scheme."""

    def __init__(
        self,
        f: Dynamics,
        grid: Grid,
        scheme: Scheme,
        *,
        solve: Solve = Sequential(),
        gradient: Gradient = Backprop(),
        until: Endpoint | None = None,
        save: Save = "last",
    ) -> None:
        super().__init__()
        self.f = f
        self.grid = grid
        self.scheme = scheme
        self.solve = solve
        self.gradient = gradient
        self.until = until
        self.save: Save = save

    def forward(self, y0: Inexact[Tensor, " batch *state"]) -> Trajectory:
        return integrate(
            self.f,
            y0,
            self.grid,
            self.scheme,
            solve=self.solve,
            gradient=self.gradient,
            until=self.until,
            save=self.save,
        )

    def end(self, y0: Inexact[Tensor, " batch *state"]) -> Tensor:
        """The states alone."""
        trajectory: Trajectory = self(y0)
        return trajectory.ys


class EndOf(nn.Module):
    """y0 -> the last state of a flow: a flow as one module among others."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    def forward(self, y0: Inexact[Tensor, " batch *state"]) -> Tensor:
        return self.flow.end(y0)
