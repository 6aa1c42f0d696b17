"""Adams-Bashforth: an explicit scheme that reuses the slopes of earlier steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.schemes.explicit import classical
from backbone.schemes.scheme import Batch, Memory, Scheme


@dataclass(frozen=True)
class Slopes(Memory):
    """The slopes f of the last step and of the one before; None until there are such steps."""

    last: Tensor | None = None
    before: Tensor | None = None


class AB3(Scheme):
    """Three-step Adams-Bashforth: y + h/12 (23 f_n - 16 f_{n-1} + 5 f_{n-2}). Order 3.

    Two classical Runge-Kutta steps start it: Euler steps would drop the order to 2. Hairer, Norsett, Wanner, Solving
    ODEs I, section III.1. Stable for h lambda on the imaginary axis up to 0.7236.
    """

    order = 3
    equal_steps = True

    def start(self, y: Tensor) -> Memory:
        return Slopes()

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(memory, Slopes)
        slope = f(t0, y)
        after = Slopes(memory.n_evals, slope, memory.last)
        if memory.last is None or memory.before is None:
            return classical(f, t0, t1, y, slope), after.after(4)
        h = t1 - t0
        y = torch.add(y, slope, alpha=23 * h / 12)
        y = torch.sub(y, memory.last, alpha=16 * h / 12)
        return torch.add(y, memory.before, alpha=5 * h / 12), after.after(1)
