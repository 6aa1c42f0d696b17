"""Gradients of a solve: how the derivative flows back through the steps, and at what price in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from backbone.errors import UsageError
from backbone.state import State

Advance = Callable[[int, State], State]  # advance(k, state): the state after step k


def demand_first_derivative(gradient: str) -> None:
    """Called in a backward pass of one's own: raises UsageError where that pass itself is to be differentiated."""
    if torch.is_grad_enabled():
        raise UsageError(
            f"second derivatives through {gradient} are not there",
            where="integrate(gradient=)",
            cure="use create_graph=False, or gradient=Backprop()",
        )


class Gradient(ABC):
    """Runs the steps one after another so that autograd can come back through them.

    reruns: whether backwards the steps are run again. from_end: whether the states are rebuilt from the last one.
    """

    reruns: ClassVar[bool] = False
    from_end: ClassVar[bool] = False

    @abstractmethod
    def march(self, advance: Advance, state: State, n_steps: int) -> Iterator[State]:
        """The states after steps 0, 1, ..., n_steps - 1."""


@dataclass(frozen=True)
class Backprop(Gradient):
    """Every step stays on autograd's tape: the exact gradient of the discrete loss, memory O(n_steps)."""

    def march(self, advance: Advance, state: State, n_steps: int) -> Iterator[State]:
        for k in range(n_steps):
            state = advance(k, state)
            yield state


@dataclass(frozen=True)
class Checkpoint(Gradient):
    """The same gradient bit for bit with only every `every`-th state kept; the steps between are run again backwards.

    Memory O(n_steps / every + every), time one more forward solve. Griewank, Optim. Methods Softw. 1 (1992).
    """

    reruns = True
    every: int

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UsageError(f"every must be at least 1, got {self.every}", where="Checkpoint", cure="Checkpoint(8)")

    def march(self, advance: Advance, state: State, n_steps: int) -> Iterator[State]:
        for first in range(0, n_steps, self.every):
            last = min(first + self.every, n_steps)

            def piece(y: Tensor, begin: State, first: int = first, last: int = last) -> list[State]:
                inner = replace(begin, y=y)
                return [inner := advance(k, inner) for k in range(first, last)]

            # y stands alone among the arguments so that its device's random state is kept for the second run
            states: list[State] = checkpoint(piece, state.y, state, use_reentrant=False)
            yield from states
            state = states[-1]
