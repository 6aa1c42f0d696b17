"""Adaptive solves, the one place where torchdiffeq is used: steps as long as the tolerances allow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from backbone.adjoint import ContinuousAdjoint
from backbone.dynamics import Dynamics, VectorField
from backbone.endpoint import Endpoint
from backbone.errors import UntrustedResult, UsageError
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.schemes.explicit import DormandPrince
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.solve import Sequential, Solve
from backbone.state import State


@dataclass(frozen=True)
class Adaptive(Solve):
    """Every interval of the grid by as many steps of `DormandPrince` as its error estimate asks for.

    An interval begins anew, with its own weights: give a grid of few. Gradients: Backprop or Checkpoint through the
    accepted steps, taken once more on the tape, or ContinuousAdjoint, solved to the same tolerances.
    """

    rtol: float = 1e-6
    atol: float = 1e-8

    def __post_init__(self) -> None:
        if not (self.rtol > 0.0 and self.atol > 0.0):
            raise UsageError(
                f"tolerances must be positive, got rtol={self.rtol}, atol={self.atol}",
                where="Adaptive",
                cure="Adaptive(rtol=1e-6, atol=1e-8)",
            )

    def states(
        self, f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, gradient: Gradient, until: Endpoint | None
    ) -> Iterator[State]:
        adjoint = isinstance(gradient, ContinuousAdjoint)
        weights = tuple(weight for weight in f.parameters() if weight.requires_grad) if adjoint else None
        interval = _Interval(self.rtol, self.atol, weights)
        return Sequential().states(f, y0, grid, interval, Backprop() if adjoint else gradient, until)


class _Interval(Scheme):
    """One interval of the grid as one step. adjoint_of: weights that get their gradient from the adjoint, or None."""

    order = 5

    def __init__(self, rtol: float, atol: float, adjoint_of: tuple[Tensor, ...] | None) -> None:
        super().__init__()
        self.rtol = rtol
        self.atol = atol
        self.adjoint_of = adjoint_of
        self.fixed = DormandPrince()

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        from torchdiffeq import odeint, odeint_adjoint

        watched = _Watched(f)
        ends = torch.tensor([t0, t1], dtype=torch.float64, device=y.device)
        try:
            if self.adjoint_of is not None:
                ys = odeint_adjoint(
                    watched, y, ends, rtol=self.rtol, atol=self.atol, method="dopri5", adjoint_params=self.adjoint_of
                )
                return ys[-1], memory.after(watched.n_evals)
            with torch.no_grad():
                ys = odeint(watched, y, ends, rtol=self.rtol, atol=self.atol, method="dopri5")
        except AssertionError as error:  # the solver's own way to say that its step length fell to nothing
            raise UntrustedResult(
                f"no step is short enough on [{t0:g}, {t1:g}]: {error}", where="Adaptive", cure="raise rtol and atol"
            ) from error
        memory = memory.after(watched.n_evals)
        return self._again(f, (*watched.begun, t1), y, memory) if torch.is_grad_enabled() else (ys[-1], memory)

    def _again(self, f: VectorField, ts: tuple[float, ...], y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        """The accepted steps once more, on the tape: their lengths are no function of the weights."""
        for t0, t1 in pairwise(ts):
            y, memory = self.fixed.step(f, t0, t1, y, memory)
        return y, memory


class _Watched:
    """The field as torchdiffeq calls it; notes the calls and where the accepted steps begin."""

    def __init__(self, field: VectorField) -> None:
        self.field = field
        self.n_evals = 0
        self.begun: list[float] = []

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        self.n_evals += 1
        return self.field(float(t.detach()), y)

    def callback_accept_step(self, t0: Tensor, y0: Tensor, dt: Tensor) -> None:
        """Called by torchdiffeq after a step from t0 that kept the tolerances."""
        self.begun.append(float(t0))
