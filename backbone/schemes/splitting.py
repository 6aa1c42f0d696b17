"""Splitting: the parts of dy/dt = F + G stepped one after the other by a scheme for each."""

from __future__ import annotations

from backbone.dynamics import VectorField
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.schemes.explicit import Euler
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.structured import Split


class LieTrotter(Scheme):
    """F over the whole step, then G over the whole step, each by one step of `sub`. Order 1.

    With Euler this is the Transformer's layer. Lu et al., Understanding and Improving Transformer From a
    Multi-Particle Dynamic System Point of View, 2019.
    """

    order = 1
    requires = Split

    def __init__(self, sub: Scheme | None = None) -> None:
        super().__init__()
        self.sub = _one_step(sub or Euler())

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Split)
        y, memory = _part(self.sub, f.F, t0, t1, y, memory)
        return _part(self.sub, f.G, t0, t1, y, memory)

    def check_fit(self, field: VectorField, grid: Grid) -> None:
        if isinstance(field, Split) and field.late is not None:
            raise UsageError(
                "the field has weights of its own on the second half of a step", where="LieTrotter", cure="use Strang()"
            )


class Strang(Scheme):
    """F over half the step, G over the whole, F over the other half, each by one step of `sub`.

    Order min(2, order of sub): with Euler this is the Macaron layer, and its order is 1 as that of the Transformer.
    Strang, SIAM J. Numer. Anal. 5 (1968).
    """

    requires = Split

    def __init__(self, sub: Scheme | None = None) -> None:
        super().__init__()
        self.sub = _one_step(sub or Euler())
        self.order = min(2, self.sub.order)

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Split)
        middle = t0 + (t1 - t0) / 2
        y, memory = _part(self.sub, f.F, t0, middle, y, memory)
        y, memory = _part(self.sub, f.G, t0, t1, y, memory)
        return _part(self.sub, f.F if f.late is None else f.late, middle, t1, y, memory)


def _part(sub: Scheme, part: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
    """One step of a part; a part that is split itself goes its own parts one after the other."""
    scheme = LieTrotter(sub) if isinstance(part, Split) else sub
    return scheme.step(part, t0, t1, y, memory)


def _one_step(sub: Scheme) -> Scheme:
    if sub.equal_steps:
        raise UsageError(
            f"{type(sub).__name__} needs its own history, a part of a splitting has none",
            where="splitting",
            cure="use Euler() or Heun() for the parts",
        )
    return sub
