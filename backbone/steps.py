"""The steps of a solve: step k of the grid as a map of the state."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool
from torch import Tensor

from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.errors import Diverged, UsageError
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.state import State


@dataclass(frozen=True, eq=False)
class Steps:
    """steps(k, state): the state after step k of the grid by the scheme; samples that `until` ends stay behind."""

    f: Dynamics
    grid: Grid
    scheme: Scheme
    until: Endpoint | None = None

    def first(self, y0: Tensor) -> State:
        """The state before the first step."""
        state = State.first(y0, self.scheme.start(y0))
        return state if self.until is None else self._stopped(state, self.grid.ts[0])

    def __call__(self, k: int, state: State) -> State:
        if state.finished:
            return state
        t0, t1 = self.grid.steps[k]
        state = state.moved(*self.scheme.step(self.f.on(t0, t1), t0, t1, state.stepped, state.memory))
        _demand_finite(state.y, k, t1)
        return state if self.until is None else self._stopped(state, t1)

    def untaped(self, state: State, n_steps: int, taped: Callable[[State], Tensor]) -> Iterator[State]:
        """The states after each step, off the tape; of the last, values that `taped` gives a derivative of its own."""
        for k in range(n_steps):
            with torch.no_grad():
                state = self(k, state)
            if k < n_steps - 1:
                yield state
        yield replace(state, y=taped(state))

    def weights(self) -> tuple[Tensor, ...]:
        """The parameters of dynamics and scheme that ask for a gradient."""
        return tuple(w for part in (self.f, self.scheme) for w in part.parameters() if w.requires_grad)

    def _stopped(self, state: State, t: float) -> State:
        assert self.until is not None
        return state.stop(_ends(self.until, t, state.y), t)


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
