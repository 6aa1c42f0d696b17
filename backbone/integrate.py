"""The one integrator: dynamics, a grid and a scheme in, a trajectory out."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float64, Inexact
from torch import Tensor

from backbone.check import check
from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.errors import Diverged, UsageError
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.state import State

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


class Solve(ABC):
    """The order in which the steps of the grid are worked out."""

    @abstractmethod
    def states(
        self, f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, gradient: Gradient, until: Endpoint | None
    ) -> Iterator[State]:
        """The states at ts[0], ts[1], ...; ends early once every sample has stopped."""


@dataclass(frozen=True)
class Sequential(Solve):
    """One step after another."""

    def states(
        self, f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, gradient: Gradient, until: Endpoint | None
    ) -> Iterator[State]:
        def advance(k: int, state: State) -> State:
            if state.finished:
                return state
            t0, t1 = grid.steps[k]
            state = state.moved(*scheme.step(f.on(t0, t1), t0, t1, state.stepped, state.memory))
            _demand_finite(state.y, k, t1)
            return state if until is None else state.stop(_ends(until, t1, state.y), t1)

        first = State.first(y0, scheme.start(y0))
        if until is not None:
            first = first.stop(_ends(until, grid.ts[0], y0), grid.ts[0])
        yield first
        if first.finished:
            return
        for state in gradient.march(advance, first, grid.n_steps):
            yield state
            if state.finished:
                return


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
    check(f, y0, grid, scheme, gradient=gradient, save=save)
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


def _ends(until: Endpoint, t: float, y: Tensor) -> Bool[Tensor, " batch"]:
    """The endpoint's answer, one per sample."""
    ends = until(t, y)
    if ends.dtype != torch.bool or ends.shape != y.shape[:1]:
        raise UsageError(
            f"the endpoint answers {ends.dtype} of shape {tuple(ends.shape)} for a batch of {len(y)}",
            where="integrate(until=)",
            cure="answer one boolean per sample",
        )
    return ends


def _demand_finite(y: Tensor, step: int, t: float) -> None:
    """One reduction and one number a step: a NaN or an infinity survives in the sum, whose overflow is looked into."""
    y = y.detach()
    if not math.isfinite(abs(y.sum().item())) and not bool(torch.isfinite(y).all()):
        raise Diverged(step, t)
