"""The other equations that a run weighed: its Pareto table, read again from metrics.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.errors import Failure, InputError
from pdenet.equations.equation import Equation
from pdenet.learned.reading import damaged, demand_finished, read_json
from pdenet.learned.record import METRICS


@dataclass(frozen=True)
class Weighed:
    """One candidate for the equation of a variable, and its errors on data learnt from and held out, if known."""

    equation: Equation
    insample_error: float | None
    heldout_error: float | None
    chosen: bool

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Weighed:
        """A row of the table as `learn` writes it."""
        seen, held = row.get("insample_error"), row["heldout_error"]  # earlier versions kept the held-out one only
        return cls(
            equation=Equation.parse(row["equation"]),
            insample_error=None if seen is None else float(seen),
            heldout_error=None if held is None else float(held),
            chosen=bool(row["chosen"]),
        )

    def as_dict(self) -> dict[str, Any]:
        """The machine-readable form."""
        errors = {"insample_error": self.insample_error, "heldout_error": self.heldout_error}
        return {"chosen": self.chosen, **errors, **self.equation.as_dict()}


def read_candidates(run: Path) -> dict[str, tuple[Weighed, ...]]:
    """The candidates of each variable by number of terms, also of a run that could not tell.

    Raises InputError if the run has not finished or kept none, ModelError if they are damaged.
    """
    demand_finished(run)
    file = run / METRICS
    metrics = read_json(file)
    try:
        table = metrics.get("pareto", {})
        found = {name: tuple(map(Weighed.from_dict, rows)) for name, rows in table.items()}
    except (KeyError, TypeError, ValueError, AttributeError, Failure) as error:
        raise damaged(file, error) from error
    if not found:
        raise InputError(
            f"the run '{run}' kept no other candidates",
            where=str(file),
            cure=f"pdenet-durr equation {run}, or learn with --recipe default",
        )
    return found


def table_lines(candidates: Mapping[str, Sequence[Weighed]], lines: Mapping[Equation, str]) -> list[str]:
    """Number of terms, errors and equation of every candidate, the chosen ones marked.

    lines: each equation as it is to be printed.
    """
    rows = [("", "terms", "in-sample", "held-out", "equation")]
    for weighed in (one for several in candidates.values() for one in several):
        errors = ["" if error is None else f"{error:.3g}" for error in (weighed.insample_error, weighed.heldout_error)]
        mark = "*" if weighed.chosen else ""
        rows.append((mark, str(len(weighed.equation.terms)), *errors, lines[weighed.equation]))
    return [f"{mark:1}  {terms:>5}  {seen:>9}  {held:>9}  {line}" for mark, terms, seen, held, line in rows]
