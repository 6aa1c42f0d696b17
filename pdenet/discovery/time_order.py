"""Whether the data ask for u_t = ... or u_tt = ...: the second is tried where the first leaves much unexplained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from pdenet.discovery.ladder import Rung
from pdenet.equations.terms import rate

A = TypeVar("A")

ORDERS = ("auto", "1", "2")
MUCH = 0.1  # share of the power of u_t, beyond noise, left by its equation: hidden velocities leave about half
LESS = 0.1  # times what the first order leaves, from which on the second one is believed


def of_better_order(first: A, second: Callable[[], A] | None, progress: Callable[[str], None]) -> tuple[A, str]:
    """The first order's answer, or the second one's where that explains far more; and what each leaves, in words.

    Answers hold the rungs of all equations as `found`. second: asks for it, which is done only where the first leaves
    much; None if it is not to be asked for.
    """
    if second is None or _left(first.found) <= MUCH:
        return first, ""
    progress("u_t = ... leaves much unexplained: trying u_tt = ...")
    other = second()
    told = f"{_shares(first.found)}; {_shares(other.found)}"
    return other if _left(other.found) < LESS * _left(first.found) else first, told


def _left(found: Mapping[str, Rung]) -> float:
    return max(rung.front.unexplained for rung in found.values())


def _shares(found: Mapping[str, Rung]) -> str:
    shares = [f"{100 * rung.front.unexplained:.2g} % of {rate(name)}" for name, rung in found.items()]
    return f"{' and '.join(shares)} unexplained"
