"""Runs checks by name and tells what they found: lines for a terminal, a page for the documentation, plain data."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from backbone.checks.measured import Measured
from backbone.checks.orders import check_orders
from backbone.checks.systems import SYSTEMS, system
from backbone.table import aligned

SCHEMES = "schemes"  # the name under which the table of orders is checked
PAGE = """# What every system is held to

Written by `pdenet-durr backbone check --all --page docs/checks.md`: each number was measured. Files are under
`backbone/`.

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


def check_names() -> list[str]:
    """What can be checked."""
    return [SCHEMES, *SYSTEMS]


def run_checks(names: Sequence[str], *, tell: Callable[[str], None]) -> list[Outcome]:
    """Check these systems. tell: called with each name before its turn. Raises UsageError for a wrong name."""
    for name in names:
        _file(name)
    outcomes = []
    for name in names:
        tell(f"checking {name}")
        begun = time.perf_counter()
        measured = check_orders() if name == SCHEMES else system(name).check()
        outcomes.append(Outcome(name, _file(name), measured, time.perf_counter() - begun))
    return outcomes


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


def _file(name: str) -> str:
    return "schemes/" if name == SCHEMES else f"nets/{system(name).file}"


def _number(value: float | int) -> float | int | None:
    return value if math.isfinite(value) else None
