"""The Pareto table: models of one equation by number of terms, with their errors on data learnt from and held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pdenet.discovery.ladder import Rung
from pdenet.discovery.scoring import Scorers
from pdenet.equations.equation import Equation
from pdenet.equations.terms import rate

FURTHER = 2  # models larger than the chosen one that the table shows


@dataclass(frozen=True)
class Candidate:
    """A row of the table.

    misfit: weighted mean square residual of the time derivative, 1 for the largest credible model; what selection
    goes by. insample_error, heldout_error: relative error of the same kind on data learnt from and on data that were
    held out; inf where the roll-out blew up, nan where nothing was held out.
    """

    equation: Equation
    misfit: float
    insample_error: float
    heldout_error: float
    chosen: bool


def pareto_table(
    name: str, found: Mapping[str, Rung], scorers: Scorers, progress: Callable[[str], None] = lambda text: None
) -> tuple[Candidate, ...]:
    """The candidates of one variable, scored with the other equations as chosen; the smallest says: nothing changes.

    Shown are all sizes up to a few terms more than chosen, and the largest model whose every term is significant.
    """
    rung = found[name]
    front = rung.front
    last = min(front.chosen + FURTHER, len(front.models) - 1)
    chosen = {other: found[other].chosen for other in found}
    rows = []
    for size in sorted({*range(last + 1), front.reference}):
        progress(f"{rate(name)}: scoring the model of {size} terms")
        system = {**chosen, name: rung.equation(size)}
        rows.append(
            Candidate(
                equation=system[name],
                misfit=front.models[size].misfit,
                insample_error=scorers.insample.error(system, name),
                heldout_error=scorers.heldout.error(system, name) if scorers.heldout is not None else float("nan"),
                chosen=size == front.chosen,
            )
        )
    return tuple(rows)
