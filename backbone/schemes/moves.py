"""Schemes whose steps are moves: one half of the state moves along a function of the other, which stands still.

A move is undone exactly, and its derivative needs one evaluation of the field for both: the value that takes the
state back is the one on the tape.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.errors import NotReversible
from backbone.schemes.scheme import Batch, Memory, Scheme

Halves = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Move:
    """halves[moved] <- keep halves[moved] + h field(t, halves[1 - moved]).

    field: None for the other half itself. keep: a number, None for 1.
    """

    moved: int
    h: float
    t: float
    field: VectorField | None
    keep: Tensor | None = None

    def slope(self, still: Tensor) -> Tensor:
        """The direction of the move."""
        return still if self.field is None else self.field(self.t, still)

    def done(self, half: Tensor, slope: Tensor) -> Tensor:
        """The half after the move."""
        if self.keep is None:
            return torch.add(half, slope, alpha=self.h)
        return torch.addcmul(slope if self.h == 1.0 else self.h * slope, self.keep, half)

    def undone(self, half: Tensor, slope: Tensor) -> Tensor:
        """The half before the move. Raises NotReversible if nothing of it was kept."""
        before = torch.sub(half, slope, alpha=self.h)
        if self.keep is None:
            return before
        if float(self.keep) == 0.0:
            raise NotReversible("k = 0 forgets the step before", where="Scheme.back", cure="use another gradient")
        return before / self.keep


class Moving(Scheme):
    """A scheme whose steps are moves of two halves."""

    @abstractmethod
    def moves(self, f: VectorField, t0: float, t1: float, number: int) -> Sequence[Move]:
        """The moves of step `number`, from 0, in their order."""

    @abstractmethod
    def halves(self, y: Tensor, memory: Memory) -> Halves:
        """The state as what its moves take turns on."""

    @abstractmethod
    def joined(self, halves: Sequence[Tensor], memory: Memory) -> tuple[Tensor, Memory]:
        """State and memory whose halves these are."""

    def number(self, memory: Memory) -> int:
        """How many steps a memory has seen, where steps differ by that."""
        return 0

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        halves = list(self.halves(y, memory))
        moves = self.moves(f, t0, t1, self.number(memory))
        for move in moves:
            halves[move.moved] = move.done(halves[move.moved], move.slope(halves[1 - move.moved]))
        return self.joined(halves, self._after(memory, moves, 1))

    def back(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        halves = list(self.halves(y, memory))
        moves = self.moves(f, t0, t1, self.number(memory) - 1)
        for move in reversed(moves):
            halves[move.moved] = move.undone(halves[move.moved], move.slope(halves[1 - move.moved]))
        return self.joined(halves, self._after(memory, moves, -1))

    def reversible(self) -> bool:
        return True

    def _after(self, memory: Memory, moves: Sequence[Move], steps: int) -> Memory:
        """The memory after a step forward, 1, or back, -1."""
        return memory.after(sum(move.field is not None for move in moves))
