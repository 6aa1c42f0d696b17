"""Leapfrog for forces: the two-step scheme of hyperbolic networks."""

from __future__ import annotations

from torch import Tensor

from backbone.dynamics import VectorField
from backbone.schemes.linear_multistep import Increment
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.structured import SecondOrder


class Leapfrog(Scheme):
    """y_{n+1} = 2 y_n - y_{n-1} + h^2 force(t_n, y_n), as d_{n+1} = d_n + h^2 force, y_{n+1} = y_n + d_{n+1}. Order 2.

    From rest: d_1 = h^2/2 force(t_0, y_0). Stable up to h omega = 2.
    """

    order = 2
    requires = SecondOrder
    equal_steps = True

    def start(self, y: Tensor) -> Memory:
        return Increment()

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(memory, Increment)
        kick = (t1 - t0) ** 2 * f(t0, y)
        d = kick / 2 if memory.d is None else memory.d + kick
        return y + d, Increment(memory.n_evals + 1, d, memory.n_steps + 1)

    def back(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(memory, Increment)
        assert memory.d is not None
        y = y - memory.d
        n = memory.n_steps - 1
        if n == 0:
            return y, Increment(memory.n_evals)
        return y, Increment(memory.n_evals + 1, memory.d - (t1 - t0) ** 2 * f(t0, y), n)

    def reversible(self) -> bool:
        return True
