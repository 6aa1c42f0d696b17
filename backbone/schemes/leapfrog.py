"""Leapfrog for forces: the two-step scheme of hyperbolic networks."""

from __future__ import annotations

from collections.abc import Sequence

from backbone.dynamics import VectorField
from backbone.schemes.moves import Move
from backbone.schemes.two_step import TwoStep
from backbone.structured import SecondOrder


class Leapfrog(TwoStep):
    """y_{n+1} = 2 y_n - y_{n-1} + h^2 force(t_n, y_n), as d_{n+1} = d_n + h^2 force, y_{n+1} = y_n + d_{n+1}. Order 2.

    From rest: d_1 = h^2/2 force(t_0, y_0). Stable up to h omega = 2.
    """

    order = 2
    requires = SecondOrder

    def moves(self, f: VectorField, t0: float, t1: float, number: int) -> Sequence[Move]:
        kick = (t1 - t0) ** 2 / (2 if number == 0 else 1)
        return Move(1, kick, t0, f), Move(0, 1.0, t1, None)
