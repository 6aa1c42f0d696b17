"""Scheme: how one step in time is taken. A scheme is an architecture: Euler is ResNet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, TypeVar

from jaxtyping import Inexact
from torch import Tensor, nn

from backbone.dynamics import VectorField
from backbone.errors import NotReversible
from backbone.grid import Grid

MemoryT = TypeVar("MemoryT", bound="Memory")
Batch = Inexact[Tensor, " batch *state"]


@dataclass(frozen=True)
class Memory:
    """What a scheme carries from one step to the next; the least is the number of field evaluations so far.

    A scheme with a history extends it; fields that are tensors have the batch first.
    """

    n_evals: int = 0

    def after(self: MemoryT, n_evals: int) -> MemoryT:
        """The memory after n_evals more evaluations of the field."""
        return replace(self, n_evals=self.n_evals + n_evals)

    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors of the history, in the order of the fields."""
        return tuple(entry for entry in self._entries().values() if isinstance(entry, Tensor))

    def holding(self: MemoryT, tensors: Sequence[Tensor]) -> MemoryT:
        """The same memory with other tensors in the places of its own."""
        places = [name for name, entry in self._entries().items() if isinstance(entry, Tensor)]
        return replace(self, **dict(zip(places, tensors, strict=True)))  # type: ignore[arg-type]

    def select(self: MemoryT, samples: Tensor) -> MemoryT:
        """The memory of some samples of the batch, "kept" integers."""
        return self.holding([entry.index_select(0, samples) for entry in self.tensors()])

    def _entries(self) -> dict[str, object]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


class Scheme(nn.Module, ABC):
    """A one-step map of the state; may own learned coefficients, hence a module.

    order: global order of accuracy for smooth fields. requires: the kind of field it can step.
    equal_steps: whether its history makes sense on equal steps only.
    """

    order: int
    requires: type = VectorField
    equal_steps: ClassVar[bool] = False

    def start(self, y: Tensor) -> Memory:
        """The memory before the first step from y."""
        return Memory()

    @abstractmethod
    def step(self, f: VectorField, t0: float, t1: float, y: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """The state at t1 from the state y at t0, "batch *state" both."""

    def back(self, f: VectorField, t0: float, t1: float, y: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """State and memory at t0 from those that `step` gave at t1. Raises NotReversible where there is no inverse."""
        raise NotReversible(
            f"a step of {type(self).__name__} has no exact inverse",
            where="Scheme.back",
            cure="use SymplecticEuler, Verlet or Leapfrog, or another gradient",
        )

    def reversible(self) -> bool:
        """Whether going back over many steps keeps rounding errors bounded, for a field that allows it."""
        return False

    def check_fit(self, field: VectorField, grid: Grid) -> None:
        """Raise UsageError for a field or a grid that this scheme cannot step; asked before the first step."""
