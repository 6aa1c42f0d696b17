"""Whether the data ask for u_t = ... or u_tt = ...: the second is tried where the first leaves much unexplained."""

from __future__ import annotations

from collections.abc import Mapping

from pdenet.discovery.ladder import Rung
from pdenet.equations.terms import rate

ORDERS = ("auto", "1", "2")
MUCH = 0.1  # share of the power of u_t, beyond noise, left by its equation: hidden velocities leave about half
LESS = 0.1  # times what the first order leaves, from which on the second one is believed


def leaves_much(found: Mapping[str, Rung]) -> bool:
    """Whether some variable's rate of change is hardly explained by the terms chosen."""
    return any(rung.front.unexplained > MUCH for rung in found.values())


def is_better(second: Mapping[str, Rung], first: Mapping[str, Rung]) -> bool:
    """Whether equations of accelerations explain far more than those of velocities did."""
    return _left(second) < LESS * _left(first)


def in_words(first: Mapping[str, Rung], second: Mapping[str, Rung] | None) -> str:
    """What each order leaves unexplained beyond noise; empty where the second was not tried."""
    return "" if second is None else f"{_shares(first)}; {_shares(second)}"


def _left(found: Mapping[str, Rung]) -> float:
    return max(rung.front.unexplained for rung in found.values())


def _shares(found: Mapping[str, Rung]) -> str:
    shares = [f"{100 * rung.front.unexplained:.2g} % of {rate(name)}" for name, rung in found.items()]
    return f"{' and '.join(shares)} unexplained"
