"""The continuous adjoint: the gradient as the solution of an equation of its own, solved from the end to the start."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.gradients import Advance, Gradient, demand_first_derivative
from backbone.state import State
from backbone.steps import Steps

Flat = Float[Tensor, "1 entry"]


@dataclass(frozen=True)
class ContinuousAdjoint(Gradient):
    """a' = -(df/dy)^T a backwards in time, with y itself, and dJ/dtheta = int (df/dtheta)^T a dt. Memory O(1) in depth.

    Chen, Rubanova, Bettencourt, Duvenaud, NeurIPS 2018. The forward solve's scheme on the forward solve's grid also
    solves this one: the gradient has the scheme's order, but is not the gradient of the discrete loss. With
    `Adaptive` both are solved to its tolerances. For save="last" and without an endpoint.
    """

    reruns = True
    from_end = True

    def march(self, advance: Advance, state: State, n_steps: int) -> Iterator[State]:
        assert isinstance(advance, Steps)
        weights = advance.weights()

        def taped(last: State) -> Tensor:
            y: Tensor = _Adjoint.apply(advance, last.y, state.y, *weights)  # type: ignore[no-untyped-call]
            return y

        return advance.untaped(state, n_steps, taped)


class _Adjoint(torch.autograd.Function):
    """The last state, with a derivative that the adjoint equation gives."""

    @staticmethod
    def forward(ctx: Any, steps: Steps, last: Tensor, y0: Tensor, *weights: Tensor) -> Tensor:
        ctx.steps = steps
        ctx.save_for_backward(last, *weights)
        return last.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        demand_first_derivative("ContinuousAdjoint")
        last, *weights = ctx.saved_tensors
        steps: Steps = ctx.steps
        system = AdjointSystem([last, gradient, *weights])
        z = system.flat([last, gradient, *map(torch.zeros_like, weights)])
        memory = steps.scheme.start(z)
        for t0, t1 in reversed(steps.grid.steps):
            z, memory = steps.scheme.step(system.on(steps.f.on(t0, t1)), t1, t0, z, memory)
        return None, None, *system.parts(z)[1:]


@dataclass(frozen=True, eq=False)
class AdjointSystem:
    """State y, adjoint a and the gradient of every weight as one flat state; entries: y, a, weights."""

    entries: Sequence[Tensor]

    def flat(self, parts: Sequence[Tensor]) -> Flat:
        """The parts one after another, in the format of y."""
        return torch.cat([part.reshape(-1).to(self.entries[0].dtype) for part in parts])[None]

    def parts(self, z: Flat) -> list[Tensor]:
        """The parts of a flat state, each with its shape and format."""
        pieces = torch.split(z[0], [math.prod(entry.shape) for entry in self.entries])
        return [piece.reshape(entry.shape).to(entry.dtype) for piece, entry in zip(pieces, self.entries, strict=True)]

    def on(self, field: VectorField) -> VectorField:
        """d/dt (y, a, gradient) = (f, -(df/dy)^T a, -(df/dtheta)^T a), differentiable itself where a tape is on."""

        def slope(t: float, z: Tensor) -> Tensor:
            recorded = torch.is_grad_enabled()
            y, a = self.parts(z)[:2]
            with torch.enable_grad():
                y = y if recorded and y.requires_grad else y.detach().requires_grad_()
                dy = field(t, y)
                pulled = torch.autograd.grad(
                    dy, [y, *self.entries[2:]], a, create_graph=recorded, allow_unused=True, materialize_grads=True
                )
            return self.flat([dy if recorded else dy.detach(), *(-part for part in pulled)])

        return slope
