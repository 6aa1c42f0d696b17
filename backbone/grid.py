"""The grid in time (depth): where the steps of a scheme begin and end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from backbone.errors import UsageError


@dataclass(frozen=True)
class Grid:
    """Times ts[0] < ts[1] < ... (or all falling); step k runs from ts[k] to ts[k+1].

    Raises UsageError if there are fewer than two times, or they are not finite and strictly monotone.
    """

    ts: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.ts) < 2:
            raise UsageError(f"a grid of {len(self.ts)} times has no step", where="Grid", cure="give two times or more")
        steps = [b - a for a, b in pairwise(self.ts)]
        if not all(map(math.isfinite, self.ts)) or not (all(h > 0 for h in steps) or all(h < 0 for h in steps)):
            raise UsageError(
                f"the times of a grid must be finite and strictly monotone, got {self.ts[0]} ... {self.ts[-1]}",
                where="Grid",
                cure="use Grid.uniform(t0, t1, n) with t0 != t1",
            )

    @classmethod
    def uniform(cls, t0: float, t1: float, n: int) -> Grid:
        """n equal steps from t0 to t1: ts[k] = t0 + (t1 - t0) k / n, never a running sum; the ends are exact."""
        if n < 1:
            raise UsageError(f"n must be at least 1, got {n}", where="Grid.uniform", cure="ask for one step or more")
        return cls((*(t0 + (t1 - t0) * k / n for k in range(n)), float(t1)))

    @property
    def n_steps(self) -> int:
        """Number of steps, one less than the number of times."""
        return len(self.ts) - 1

    @cached_property
    def steps(self) -> tuple[tuple[float, float], ...]:
        """(t0, t1) of every step, in order."""
        return tuple(pairwise(self.ts))

    def refine(self, m: int) -> Grid:
        """Every step cut into m equal ones; the old times stay, bit for bit."""
        if m < 1:
            raise UsageError(f"m must be at least 1, got {m}", where="Grid.refine", cure="refine by 2 or more")
        inner = (t0 + (t1 - t0) * j / m for t0, t1 in self.steps for j in range(m))
        return Grid((*inner, self.ts[-1]))

    def coarsen(self, m: int) -> Grid:
        """Every m steps joined into one; m must divide the number of steps."""
        if m < 1 or self.n_steps % m:
            raise UsageError(
                f"{self.n_steps} steps cannot be joined {m} by {m}", where="Grid.coarsen", cure="use a divisor"
            )
        return Grid(self.ts[::m])
