"""The reversible gradient: the states are worked out again from the last one by the inverse of every step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backbone.gradients import Advance, Gradient, demand_first_derivative
from backbone.schemes.scheme import Memory
from backbone.state import State
from backbone.steps import Steps
from backbone.tape import leaves


@dataclass(frozen=True)
class Reversible(Gradient):
    """The gradient of `Backprop` up to rounding, with only the weights and the last state kept: memory O(1) in depth.

    Each step is undone, then run again on the tape: one forward and one inverse solve more. Gomez, Ren, Urtasun,
    Grosse, NeurIPS 2017. Only for schemes whose steps invert stably, for save="last" and without an endpoint.
    """

    reruns = True
    from_end = True

    def march(self, advance: Advance, state: State, n_steps: int) -> Iterator[State]:
        assert isinstance(advance, Steps)
        weights = advance.weights()

        def taped(last: State) -> Tensor:
            y: Tensor = _Inverted.apply(advance, last.memory, last.y, state.y, *weights)  # type: ignore[no-untyped-call]
            return y

        return advance.untaped(state, n_steps, taped)


class _Inverted(torch.autograd.Function):
    """The last state, with a derivative that goes back step by step."""

    @staticmethod
    def forward(ctx: Any, steps: Steps, memory: Memory, last: Tensor, y0: Tensor, *weights: Tensor) -> Tensor:
        ctx.steps, ctx.memory = steps, memory.holding([torch.empty(0)] * len(memory.tensors()))
        ctx.save_for_backward(last, *memory.tensors(), *weights)
        return last.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        demand_first_derivative("Reversible")
        last, *rest = ctx.saved_tensors
        n = len(ctx.memory.tensors())
        memory, weights = ctx.memory.holding(rest[:n]), rest[n:]
        by_y0, by_weight = _pull_back(ctx.steps, last, memory, gradient)
        return None, None, None, by_y0, *(by_weight.get(id(weight)) for weight in weights)


def _pull_back(steps: Steps, y: Tensor, memory: Memory, gradient: Tensor) -> tuple[Tensor, dict[int, Tensor]]:
    """From d loss / d y at the end to d loss / d y0, and d loss / d weight by the weight's id."""
    by_weight: dict[int, Tensor] = {}
    slopes = [gradient, *map(torch.zeros_like, memory.tensors())]
    for t0, t1 in reversed(steps.grid.steps):
        field = steps.f.on(t0, t1)
        with torch.no_grad():
            y, memory = steps.scheme.back(field, t0, t1, y, memory)
        with torch.enable_grad():
            inputs = [entry.detach().requires_grad_() for entry in (y, *memory.tensors())]
            stepped, after = steps.scheme.step(field, t0, t1, inputs[0], memory.holding(inputs[1:]))
        slopes = _through([stepped, *after.tensors()], slopes, inputs, by_weight)
    return slopes[0], by_weight


def _through(
    outputs: Sequence[Tensor], slopes: Sequence[Tensor], inputs: Sequence[Tensor], by_weight: dict[int, Tensor]
) -> list[Tensor]:
    """The slopes of a step's inputs from those of its outputs; what the weights get is added to by_weight."""
    own = {id(entry) for entry in inputs}
    used = [leaf for leaf in leaves(outputs) if id(leaf) not in own]
    found = torch.autograd.grad(outputs, [*inputs, *used], slopes, materialize_grads=True)
    for weight, slope in zip(used, found[len(inputs) :], strict=True):
        by_weight[id(weight)] = by_weight[id(weight)] + slope if id(weight) in by_weight else slope
    return list(found[: len(inputs)])
