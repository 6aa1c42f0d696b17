"""Explicit approximations of backward Euler: PolyNet's powers of the branch, and fixed-point sweeps."""

from __future__ import annotations

from backbone.dynamics import VectorField
from backbone.errors import UsageError
from backbone.schemes.scheme import Batch, Memory, Scheme


class Poly(Scheme):
    """PolyNet: y + F(y) + F(F(y)) + ... + F^k(y), F = h f(t1, .). Order 1 where f(t, 0) = 0, else inconsistent.

    The Neumann series of (I - h A)^-1 for a linear f = A: error h^{k+1} a step against backward Euler. For another f
    the second term is no such term (`Picard` is). Zhang, Li, Loy, Lin, CVPR 2017.
    """

    order = 1

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = _at_least_one(k, "Poly")

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        term = total = y
        for _ in range(self.k):
            term = (t1 - t0) * f(t1, term)
            total = total + term
        return total, memory.after(self.k)


class Picard(Scheme):
    """k fixed-point sweeps for backward Euler: x <- y + h f(t1, x), from x = y. Order 1.

    Error h^{k+1} a step against backward Euler, for any smooth f.
    """

    order = 1

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = _at_least_one(k, "Picard")

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        x = y
        for _ in range(self.k):
            x = y + (t1 - t0) * f(t1, x)
        return x, memory.after(self.k)


def _at_least_one(k: int, name: str) -> int:
    if k < 1:
        raise UsageError(f"k must be at least 1, got {k}", where=name, cure=f"{name}(2)")
    return k
