"""Two-step schemes: the state and its last increment as two halves that take turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from backbone.schemes.moves import Halves, Move, Moving
from backbone.schemes.scheme import Memory


@dataclass(frozen=True)
class Increment(Memory):
    """d_n = y_n - y_{n-1}, zero at first, and n."""

    d: Tensor | None = None
    n_steps: int = 0


class TwoStep(Moving):
    """First the increment moves along the field, then the state by the increment."""

    equal_steps = True

    def start(self, y: Tensor) -> Memory:
        return Increment(d=torch.zeros_like(y))

    def halves(self, y: Tensor, memory: Memory) -> Halves:
        assert isinstance(memory, Increment)
        assert memory.d is not None
        return y, memory.d

    def joined(self, halves: Sequence[Tensor], memory: Memory) -> tuple[Tensor, Memory]:
        assert isinstance(memory, Increment)
        y, d = halves
        return y, replace(memory, d=d)

    def number(self, memory: Memory) -> int:
        assert isinstance(memory, Increment)
        return memory.n_steps

    def _after(self, memory: Memory, moves: Sequence[Move], steps: int) -> Memory:
        after = super()._after(memory, moves, steps)
        assert isinstance(after, Increment)
        return replace(after, n_steps=after.n_steps + steps)
