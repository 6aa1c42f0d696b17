"""Implicit-explicit Euler: the stiff linear part solved for, the rest explicit."""

from __future__ import annotations

from backbone.dynamics import VectorField
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.structured import Stiff


class Imex(Scheme):
    """y1 = (I - h L)^-1 (y + h N(t0, y)) for dy/dt = L y + N(t, y). Order 1, stable for any h L <= 0.

    Ascher, Ruuth, Wetton, SIAM J. Numer. Anal. 32 (1995).
    """

    order = 1
    requires = Stiff

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Stiff)
        h = t1 - t0
        return f.resolvent(h, y + h * f.nonlinear(t0, y)), memory.after(1)
