"""Scheme: how one step in time is taken. A scheme is an architecture: Euler is ResNet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

from torch import Tensor, nn

from backbone.dynamics import VectorField

MemoryT = TypeVar("MemoryT", bound="Memory")


@dataclass(frozen=True)
class Memory:
    """What a scheme carries from one step to the next; the least is the number of field evaluations so far.

    A scheme with a history (multistep, cached coefficients) extends it and overrides `select`.
    """

    n_evals: int = 0

    def after(self: MemoryT, n_evals: int) -> MemoryT:
        """The memory after n_evals more evaluations of the field."""
        return replace(self, n_evals=self.n_evals + n_evals)

    def select(self: MemoryT, samples: Tensor) -> MemoryT:
        """The memory of some samples of the batch, "kept" integers."""
        return self


class Scheme(nn.Module, ABC):
    """A one-step map of the state; may own learned coefficients, hence a module.

    order: global order of accuracy for smooth fields. requires: the kind of field it can step.
    """

    order: ClassVar[int]
    requires: ClassVar[type] = VectorField

    def start(self, y: Tensor) -> Memory:
        """The memory before the first step from y."""
        return Memory()

    @abstractmethod
    def step(self, f: VectorField, t0: float, t1: float, y: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """The state at t1 from the state y at t0, "batch *state" both."""
