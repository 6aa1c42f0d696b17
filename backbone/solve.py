"""Solves: the order in which the steps of a grid are worked out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.gradients import Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.state import State
from backbone.steps import Steps


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
        steps = Steps(f, grid, scheme, until)
        first = steps.first(y0)
        yield first
        if first.finished:
            return
        for state in gradient.march(steps, first, grid.n_steps):
            yield state
            if state.finished:
                return
