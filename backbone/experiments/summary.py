"""The table of an experiment: one line per method, mean and spread over seeds, and what the answer is held to."""

from __future__ import annotations

from typing import Any

from backbone.checks.report import bounds
from backbone.experiments.experiment import Experiment
from backbone.experiments.results import Results, mean_and_spread
from backbone.table import aligned


def table_lines(experiment: Experiment, results: Results, note: str) -> list[str]:
    """The question, what must be said of the data, the table, and every bound with whether it is kept."""
    lines = [f"{experiment.name}: {experiment.question}"]
    if note:
        lines.append(f"  note: {note}")
    head = ("method", "seeds", *(column.title for column in experiment.columns))
    rows = [
        (method, str(len(results.seeds(method))), *_cells(experiment, results, method))
        for method in experiment.methods
        if results.seeds(method)
    ]
    held = [
        (entry.what, f"{entry.value:.3g}", bounds(entry), "reached" if entry.passed else "NOT reached")
        for entry in experiment.bounds(results)
    ]
    lines += [f"  {line}" for line in aligned([head, *rows])]
    return lines + [f"  {line}" for line in (aligned(held) if held else [])]


def held_to(experiment: Experiment, results: Results) -> list[dict[str, Any]]:
    """The bounds for a document."""
    return [
        {"what": entry.what, "value": entry.value, "bound": bounds(entry), "reached": entry.passed}
        for entry in experiment.bounds(results)
    ]


def _cells(experiment: Experiment, results: Results, method: str) -> list[str]:
    return [
        mean_and_spread(
            results.numbers(method, column.figure, column.beside) if _comparable(results, column.beside) else [],
            column.form,
        )
        for column in experiment.columns
    ]


def _comparable(results: Results, beside: str | None) -> bool:
    return beside is None or bool(results.seeds(beside))
