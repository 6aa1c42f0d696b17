"""Runs checks by name and tells what they found: lines for a terminal, a page for the documentation, plain data."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backbone.checks.algorithms import ALGORITHMS
from backbone.checks.measured import Checkable, Measured, Room
from backbone.checks.orders import check_orders
from backbone.checks.systems import SYSTEMS
from backbone.errors import UsageError
from backbone.table import aligned

SCHEMES = "schemes"  # the name under which the table of orders is checked
PAGE = """# What every system is held to

Written by `pdenet-durr backbone check --all --page docs/checks.md`: each number was measured.

| system | file | check | measured | bounds |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Outcome:
    """What the checks of one system measured, and how long they took."""

    name: str
    file: str
    measured: Sequence[Measured]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every number is within its bounds."""
        return all(entry.passed for entry in self.measured)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, which has no infinity: a bound that is none is null."""
        rows = [
            {
                "what": entry.what,
                "value": _number(entry.value),
                "least": _number(entry.least),
                "most": _number(entry.most),
                "passed": entry.passed,
            }
            for entry in self.measured
        ]
        return {
            "system": self.name,
            "file": self.file,
            "passed": self.passed,
            "seconds": round(self.seconds, 2),
            "checks": rows,
        }


def checkables(rooms: Sequence[Room] = ()) -> dict[str, Checkable]:
    """What can be checked, by name: schemes, networks and training of the backbone, then what the rooms add."""
    known = {SCHEMES: Checkable("backbone/schemes/", check_orders)}
    known |= {name: Checkable(f"backbone/nets/{entry.file}", entry.check) for name, entry in SYSTEMS.items()}
    known |= ALGORITHMS
    for room in rooms:
        known |= room()
    return known


def run_checks(chosen: Mapping[str, Checkable], *, tell: Callable[[str], None]) -> list[Outcome]:
    """Check these. tell: called with each name before its turn."""
    outcomes = []
    for name, entry in chosen.items():
        tell(f"checking {name}")
        begun = time.perf_counter()
        measured = entry.check()
        outcomes.append(Outcome(name, entry.file, measured, time.perf_counter() - begun))
    return outcomes


def one(known: Mapping[str, Checkable], name: str) -> dict[str, Checkable]:
    """The one of this name. Raises UsageError."""
    if name not in known:
        raise UsageError(
            f"there is no system '{name}'",
            where=f"backbone check {name}",
            cure=f"name one of: {', '.join(known)}",
        )
    return {name: known[name]}


def lines(outcome: Outcome) -> list[str]:
    """A system's table for a terminal."""
    rows = [
        (f"  {entry.what}", f"{entry.value:.3g}", bounds(entry), "ok" if entry.passed else "FAILED")
        for entry in outcome.measured
    ]
    return [f"{outcome.name} ({outcome.file}, {outcome.seconds:.1f} s)", *aligned(rows)]


def page(outcomes: Sequence[Outcome]) -> str:
    """A page of the documentation with everything that was measured."""
    rows = [
        f"| {outcome.name} | `{outcome.file}` | {_escaped(entry.what)} | {entry.value:.3g} | {bounds(entry)} |"
        for outcome in outcomes
        for entry in outcome.measured
    ]
    return PAGE + "\n".join(rows) + "\n"


def bounds(entry: Measured) -> str:
    """The bounds in words."""
    if entry.least == entry.most:
        return f"exactly {entry.least:g}"
    if math.isinf(entry.most):
        return f"at least {entry.least:g}"
    return f"at most {entry.most:g}" if entry.least == 0 else f"{entry.least:g} to {entry.most:g}"


def _escaped(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return text.replace("|", "\\|")


def _number(value: float | int) -> float | int | None:
    return value if math.isfinite(value) else None
