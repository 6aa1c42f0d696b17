"""Levels of a layer-parallel solve: the steps of a grid, many at once, on coarser grids, and transposed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from backbone.dynamics import Dynamics, Intervals, VectorField
from backbone.mgrit import Points, Propagator, Slabs
from backbone.schemes.scheme import Memory, Scheme


class StepsOfLevel(Propagator):
    """u + h f(u) (or another scheme's step) for the steps of one level: h `length`, weights of `steps`."""

    def __init__(self, f: Dynamics, steps: Intervals, length: float, scheme: Scheme) -> None:
        self.f, self.steps, self.length, self.scheme = f, steps, length, scheme
        self.n_steps = len(steps)
        self.n_evals = 0
        self._stacked: dict[tuple[int, int], VectorField] = {}

    def many(self, first: int, stride: int, u: Slabs) -> Slabs:
        key = first, stride
        if key not in self._stacked:
            self._stacked[key] = self.f.stacked(self.steps[first::stride])
        return self._stepped(self._stacked[key], 0.0, u.flatten(0, 1)).reshape(u.shape)

    def one(self, n: int, u: Tensor) -> Tensor:
        return self._stepped(self.f.on(*self.steps[n]), self.steps[n][0], u)

    def _stepped(self, field: VectorField, t: float, u: Tensor) -> Tensor:
        stepped, memory = self.scheme.step(field, t, t + self.length, u, Memory())
        self.n_evals += memory.n_evals
        return stepped


class Transposed(Propagator):
    """(dPhi_n)^T of a level's steps about `states`, "step batch *state"; tapes are kept for the cycles to come."""

    def __init__(self, level: StepsOfLevel, states: Slabs) -> None:
        self.level, self.states = level, states
        self.n_steps = level.n_steps
        self._tapes: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}

    def many(self, first: int, stride: int, u: Slabs) -> Slabs:
        return self._pulled((first, stride), u)

    def one(self, n: int, u: Tensor) -> Tensor:
        return self._pulled((n, 0), u)

    def _pulled(self, key: tuple[int, int], slope: Tensor) -> Tensor:
        if key not in self._tapes:
            self._tapes[key] = self._tape(*key)
        states, stepped = self._tapes[key]
        return torch.autograd.grad(stepped, states, slope, retain_graph=True)[0]

    def _tape(self, first: int, stride: int) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            states = (self.states[first::stride] if stride else self.states[first]).detach().requires_grad_()
            return states, self.level.many(first, stride, states) if stride else self.level.one(first, states)


def levels_of(f: Dynamics, steps: Intervals, scheme: Scheme, *, levels: int, coarsen: int) -> list[StepsOfLevel]:
    """Finest first; the steps of level l are every coarsen^l-th, as long as those they stand for."""
    length = steps[0][1] - steps[0][0]
    strides = [coarsen**level for level in range(levels)]
    return [StepsOfLevel(f, steps[::stride], length * stride, scheme) for stride in strides]


def transposed(levels: Sequence[StepsOfLevel], u: Points) -> list[Transposed]:
    """From the last step to the first, each level about the states `u` at its points."""
    fine = levels[0]
    return [
        Transposed(
            StepsOfLevel(level.f, level.steps[::-1], level.length, level.scheme),
            u[: -1 : fine.n_steps // level.n_steps].flip(0),
        )
        for level in levels
    ]
