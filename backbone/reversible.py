"""The reversible gradient: the states are worked out again from the last one by the inverse of every step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backbone.gradients import Advance, Gradient, demand_first_derivative
from backbone.schemes.moves import Move, Moving
from backbone.schemes.scheme import Memory
from backbone.state import State
from backbone.steps import Steps
from backbone.tape import leaves

ByWeight = dict[int, Tensor]


@dataclass(frozen=True)
class Reversible(Gradient):
    """The gradient of `Backprop` up to rounding, with only the weights and the last state kept: memory O(1) in depth.

    Each move of a step is undone with the value of the field that is also on the tape: one solve more. Gomez, Ren,
    Urtasun, Grosse, NeurIPS 2017. Only for schemes whose steps invert stably, for save="last" and without an endpoint.
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


def _pull_back(steps: Steps, y: Tensor, memory: Memory, gradient: Tensor) -> tuple[Tensor, ByWeight]:
    """From d loss / d y at the end to d loss / d y0, and d loss / d weight by the weight's id."""
    scheme = steps.scheme
    assert isinstance(scheme, Moving)
    by_weight: ByWeight = {}
    halves = list(scheme.halves(y, memory))
    still = memory.holding([torch.zeros_like(entry) for entry in memory.tensors()])
    slopes = list(scheme.halves(gradient, still))
    for number, (t0, t1) in reversed(list(enumerate(steps.grid.steps))):
        with torch.enable_grad():
            moves = scheme.moves(steps.f.on(t0, t1), t0, t1, number)
        for move in reversed(moves):
            _pull_through(move, halves, slopes, by_weight)
    return scheme.joined(slopes, memory)[0], by_weight


def _pull_through(move: Move, halves: list[Tensor], slopes: list[Tensor], by_weight: ByWeight) -> None:
    """Halves and slopes as they were before a move: one evaluation of the field serves both."""
    moved, still = move.moved, 1 - move.moved
    with torch.enable_grad():
        start = halves[still].detach().requires_grad_()
        slope = move.slope(start)
    halves[moved] = move.undone(halves[moved], slope.detach())
    if slope.requires_grad:  # the length of the move comes last: it costs a pass over the state before
        slopes[still] = torch.add(slopes[still], _pulled(slope, start, slopes[moved], move.h, by_weight), alpha=move.h)
    if move.keep is not None:
        _pulled(move.keep, start, (slopes[moved] * halves[moved]).sum(), 1.0, by_weight)
        slopes[moved] = move.keep.detach() * slopes[moved]


def _pulled(result: Tensor, start: Tensor, slope: Tensor, share: float, by_weight: ByWeight) -> Tensor:
    """The slope of start from that of a result; a share of what the weights get is added to by_weight."""
    used = [leaf for leaf in leaves([result]) if leaf is not start]
    by_start, *found = torch.autograd.grad(result, [start, *used], slope, materialize_grads=True)
    for weight, part in zip(used, found, strict=True):
        known = by_weight.get(id(weight))
        by_weight[id(weight)] = share * part if known is None else torch.add(known, part, alpha=share)
    return by_start
