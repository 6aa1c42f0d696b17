"""Layer-parallel solves: MGRIT for the states, then for the adjoints, then the gradient of all weights at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Inexact
from torch import Tensor

from backbone.dynamics import Dynamics
from backbone.endpoint import Endpoint
from backbone.errors import Diverged, UsageError
from backbone.gradients import Gradient, demand_first_derivative
from backbone.grid import Grid
from backbone.levels import StepsOfLevel, levels_of, transposed
from backbone.mgrit import Alone, Arriving, Chain, Points, Propagator, solve
from backbone.schemes.scheme import Memory, Scheme
from backbone.solve import Solve
from backbone.stacking import holding, rows, stacks
from backbone.state import State

Known = Inexact[Tensor, "known batch *state"]


@dataclass(eq=False)
class Guesses:
    """What a solve left for the next one to start from: states and adjoints at all points, None before the first."""

    states: Tensor | None = None
    adjoints: Tensor | None = None


@dataclass(frozen=True)
class Mgrit(Solve):
    """All steps at once by `cycles` cycles of multigrid reduction in time, forwards and (`cycles_back`) backwards.

    levels: grids, each with every `coarsen`-th step of the one before; a coarse step is as long as those it stands for
    and takes the weights of the first one. relaxation: "F" or "FCF". The derivative is the same solve of the adjoint
    equation p_n = (dPhi_n)^T p_{n+1}, then all d loss / d theta_n = (dPhi_n / d theta_n)^T p_{n+1} in one pass; it is
    backprop's once the cycles have converged. k FCF-cycles give the first (2 k + 1) coarsen - 1 steps exactly.
    guesses: where solves start from and leave their results, for states that stay warm in training. chain: processes
    that share the steps. One-step schemes, equal steps, memory O(n_steps).
    """

    levels: int = 2
    coarsen: int = 8
    cycles: int = 8
    relaxation: str = "FCF"
    cycles_back: int | None = None
    guesses: Guesses | None = field(default=None, compare=False)
    chain: Chain = field(default=Alone(), compare=False)

    def __post_init__(self) -> None:
        numbers = {"levels": self.levels - 1, "coarsen": self.coarsen - 1, "cycles": self.cycles}
        for name, number in numbers.items():
            if number < 1:
                raise UsageError(
                    f"{name}={getattr(self, name)} is too small", where=f"Mgrit({name}=)", cure="Mgrit(levels=2)"
                )
        if self.relaxation not in ("F", "FCF"):
            raise UsageError(f"relaxation='{self.relaxation}' is unknown", where="Mgrit", cure='relaxation="FCF"')

    def from_guesses(self, guesses: Guesses) -> Mgrit:
        """The same solve, warm."""
        return replace(self, guesses=guesses)

    def states(
        self, f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, gradient: Gradient, until: Endpoint | None
    ) -> Iterator[State]:
        parallel = _Parallel(self, f, grid, scheme)
        ys = _Solved.apply(parallel, y0, *parallel.weights)  # type: ignore[no-untyped-call]
        state = State.first(y0, Memory(parallel.n_evals))
        yield state
        for n in range(1, len(grid.ts)):  # of several processes' states only the last one is known to all
            yield replace(state, y=ys[min(n, len(ys) - 1)])


class _Parallel:
    """The two solves of one grid: the states from y0, and everything backwards."""

    def __init__(self, mgrit: Mgrit, f: Dynamics, grid: Grid, scheme: Scheme) -> None:
        self.mgrit, self.f, self.scheme = mgrit, f, scheme
        self.own = mgrit.chain.own(grid.n_steps)
        self.steps = grid.steps[self.own]
        self.guesses = mgrit.guesses or Guesses()
        self.n_evals = 0
        # the layers of all processes, on the tape, which takes the gradients of the stacks on to every layer
        self.stacked = f.stacked(grid.steps)
        layers = stacks(self.stacked)
        self.theta = [weight for stack in layers for weight in stack.theta.values()]
        shared = f.parameters() if not all(stack.theta for stack in layers) else ()
        self.shared = [*shared, *scheme.parameters()]

    @property
    def weights(self) -> list[Tensor]:
        """All that gets a gradient: the stacks of layers' weights, then what the steps share."""
        return [weight for weight in (*self.theta, *self.shared) if weight.requires_grad]

    def forwards(self, y0: Tensor) -> Points:
        """The states at all points of this process."""
        levels = self._levels([weight.detach() for weight in self.theta])
        u = self._start(self.guesses.states, y0)
        self._solve(levels, u, torch.zeros_like(u[1:]), self.mgrit.cycles, self.mgrit.chain)
        self.n_evals = sum(level.n_evals for level in levels)
        self._demand_finite(u)
        self.guesses.states = u.detach()
        return u

    def adjoints(self, u: Points, slopes: Known) -> Points:
        """p_n at the same points, from d loss / d u_n: of all points, or of the last one of all processes."""
        backwards = transposed(self._levels([weight.detach() for weight in self.theta]), u)
        p = self._start(self.guesses.adjoints, slopes[-1])
        g = slopes[:-1].flip(0) if len(slopes) == len(u) else torch.zeros_like(p[1:])
        cycles = self.mgrit.cycles if self.mgrit.cycles_back is None else self.mgrit.cycles_back
        self._solve(backwards, p, g, cycles, self.mgrit.chain.back())
        self.guesses.adjoints = p
        return p.flip(0)

    def by_weight(self, u: Points, p: Points) -> list[Tensor]:
        """d loss / d weight: one vector-Jacobian product for all steps."""
        theta = [weight.detach().requires_grad_(weight.requires_grad) for weight in self.theta]
        inputs = [weight for weight in (*theta, *self.shared) if weight.requires_grad]
        if not inputs:
            return []
        with torch.enable_grad():
            stepped = self._levels(theta)[0].many(0, 1, u[:-1])
        return list(torch.autograd.grad(stepped, inputs, p[1:], materialize_grads=True))

    def _levels(self, theta: Sequence[Tensor]) -> list[StepsOfLevel]:
        return levels_of(
            self.f,
            self.steps,
            self.scheme,
            levels=self.mgrit.levels,
            coarsen=self.mgrit.coarsen,
            stacked=rows(holding(self.stacked, theta), self.own),
        )

    def _solve(self, levels: Sequence[Propagator], u: Points, g: Arriving, cycles: int, chain: Chain) -> None:
        solve(levels, u, g, cycles=cycles, c_relaxation=self.mgrit.relaxation == "FCF", chain=chain)

    def _start(self, guess: Tensor | None, first: Tensor) -> Points:
        """A guess of the right size with `first` at its beginning, else `first` everywhere."""
        shape = (len(self.steps) + 1, *first.shape)
        u = first.expand(shape).clone() if guess is None or guess.shape != shape else guess.clone()
        u[0] = first
        return u

    def _demand_finite(self, u: Points) -> None:
        if not math.isfinite(abs(u.sum().item())):
            finite = torch.isfinite(u).flatten(1).all(1)
            if not bool(finite.all()):
                step = int(finite.int().argmin()) - 1
                raise Diverged(step, self.steps[step][1])


class _Solved(torch.autograd.Function):
    """The states that all processes know, with the adjoint solve as derivative."""

    @staticmethod
    def forward(ctx: Any, parallel: _Parallel, y0: Tensor, *weights: Tensor) -> Tensor:
        u = parallel.forwards(y0)
        ctx.parallel = parallel
        ctx.save_for_backward(u)
        return parallel.mgrit.chain.known(u)

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor | None, ...]:
        demand_first_derivative("Mgrit")
        parallel, chain, u = ctx.parallel, ctx.parallel.mgrit.chain, ctx.saved_tensors[0].detach()
        p = parallel.adjoints(u, slopes)
        return None, chain.first(p), *chain.total(parallel.by_weight(u, p))
