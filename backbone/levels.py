"""Levels of a layer-parallel solve: the steps of a grid, many at once, on coarser grids, and transposed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from backbone.dynamics import Dynamics, Intervals, VectorField
from backbone.mgrit import Points, Propagator, Slabs
from backbone.schemes.scheme import Memory, Scheme
from backbone.stacking import Field, rows


class StepsOfLevel(Propagator):
    """u + h f(u), or another scheme's step, for the steps of one level: h is `length`, weights are those of `steps`.

    stacked: the fields of all steps as one.
    """

    def __init__(self, f: Dynamics, steps: Intervals, length: float, scheme: Scheme, stacked: Field) -> None:
        self.f, self.steps, self.length, self.scheme = f, steps, length, scheme
        self.stacked = stacked
        self.n_steps = len(steps)
        self.n_evals = 0

    def many(self, first: int, stride: int, u: Slabs) -> Slabs:
        field = rows(self.stacked, slice(first, None, stride))
        return self._stepped(field, 0.0, u.flatten(0, 1)).reshape(u.shape)

    def one(self, n: int, u: Tensor) -> Tensor:
        return self._stepped(self.f.on(*self.steps[n]), self.steps[n][0], u)

    def _stepped(self, field: VectorField, t: float, u: Tensor) -> Tensor:
        stepped, memory = self.scheme.step(field, t, t + self.length, u, Memory())
        self.n_evals += memory.n_evals
        return stepped


class Transposed(Propagator):
    """(dPhi_n)^T from the last step to the first, about `states` "step batch *state"; tapes are kept."""

    def __init__(self, level: StepsOfLevel, states: Slabs) -> None:
        self.level, self.states = level, states
        self.n_steps = level.n_steps
        self._tapes: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def many(self, first: int, stride: int, u: Slabs) -> Slabs:
        return self._pulled((self.n_steps - 1 - first) % stride, stride, u.flip(0)).flip(0)

    def one(self, n: int, u: Tensor) -> Tensor:
        return self._pulled(self.n_steps - 1 - n, 0, u)

    def _pulled(self, first: int, stride: int, slope: Tensor) -> Tensor:
        if (first, stride) not in self._tapes:
            self._tapes[first, stride] = self._tape(first, stride)
        states, stepped = self._tapes[first, stride]
        return torch.autograd.grad(stepped, states, slope, retain_graph=True)[0]

    def _tape(self, first: int, stride: int) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            states = (self.states[first::stride] if stride else self.states[first]).detach().requires_grad_()
            return states, self.level.many(first, stride, states) if stride else self.level.one(first, states)


def levels_of(
    f: Dynamics, steps: Intervals, scheme: Scheme, *, levels: int, coarsen: int, stacked: Field | None = None
) -> list[StepsOfLevel]:
    """Finest first; the steps of level l are every coarsen^l-th, as long as those they stand for.

    stacked: the fields of all steps, where they are known.
    """
    fields = stacked or f.stacked(steps)
    length = steps[0][1] - steps[0][0]
    return [
        StepsOfLevel(f, steps[::stride], length * stride, scheme, rows(fields, slice(0, None, stride)))
        for stride in (coarsen**level for level in range(levels))
    ]


def transposed(levels: Sequence[StepsOfLevel], u: Points) -> list[Transposed]:
    """Each level about the states `u` at its points."""
    return [Transposed(level, u[: -1 : levels[0].n_steps // level.n_steps]) for level in levels]
