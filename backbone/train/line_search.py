"""How far to go along a direction of descent."""

from __future__ import annotations

from collections.abc import Callable

SUFFICIENT = 1e-4  # of the decrease that the slope promises; Nocedal and Wright, section 3.1
HALVINGS = 30


def armijo(value: Callable[[float], float], at_zero: float, slope: float) -> float:
    """The first s = 1, 1/2, 1/4, ... with value(s) <= value(0) + 1e-4 s slope; zero if there is none.

    slope: of the value at s = 0, negative.
    """
    for halving in range(HALVINGS):
        step = 0.5**halving
        if value(step) <= at_zero + SUFFICIENT * step * slope:
            return step
    return 0.0
