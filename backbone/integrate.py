"""The one integrator: dynamics, a grid and a scheme in, a trajectory out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from backbone.check import check
from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.solve import Sequential, Solve

Save = Literal["last", "all"]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """ts: the times saved. ys: "saved batch *state" for save="all", "batch *state" for save="last".

    stopped_at: the time at which each sample ended, "batch". n_evals: evaluations of the field.
    """

    ts: tuple[float, ...]
    ys: Tensor
    stopped_at: Float64[Tensor, " batch"]
    n_evals: int


def integrate(
    f: Dynamics,
    y0: Inexact[Tensor, " batch *state"],
    grid: Grid,
    scheme: Scheme,
    *,
    solve: Solve = Sequential(),
    gradient: Gradient = Backprop(),
    until: Endpoint | None = None,
    save: Save = "last",
    view: Callable[[Tensor], Tensor] | None = None,
) -> Trajectory:
    """Solve dy/dt = f(t, y; theta(t)), y(ts[0]) = y0, on the grid; all systems of the house are arguments of this.

    until: where each sample stops; a stopped sample stays bit-equal, and the solve ends with the last one.
    view: what of each state y is saved, "batch ..."; the whole state by default.
    Raises UsageError for combinations that make no sense, before the first step; Diverged(step, t) after a step
    that leaves a NaN or an infinity.
    """
    check(f, y0, grid, scheme, solve=solve, gradient=gradient, until=until, save=save)
    states = solve.states(f, y0, grid, scheme, gradient, until)
    ts: list[float] = []
    ys: list[Tensor] = []
    for t, state in zip(grid.ts, states, strict=False):  # the states may end before the grid does
        if save == "last":
            ts.clear()
            ys.clear()
        ts.append(t)
        ys.append(state.y if view is None else view(state.y))
    return Trajectory(
        ts=tuple(ts),
        ys=torch.stack(ys) if save == "all" else ys[0],
        stopped_at=torch.where(state.stopped, state.stopped_at, ts[-1]),
        n_evals=state.memory.n_evals,
    )
