"""One line per row and method: medians over seeds, whether the bound is reached, and the table that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from backbone.table import aligned

COLUMNS = ("method", "terms", "false", "exact", "max %", "mean %", "in 95 %", "CPU s", "peak MB", "reached")
LABELS = {"ours": "ours", "best": "PySINDy weak, best", "default": "PySINDy default"}


def summarize(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the runs over seeds: the fewest terms found, the most false ones, how many were exact, median errors and
    CPU seconds, the share of the 95 % intervals that hold the truth, None without any, largest peak memory; only the
    failures if a run failed."""
    failures = [run["error"] for run in runs if "error" in run]
    if failures:
        return {"error": failures[0], "seeds": len(runs)}
    intervals = sum(run["intervals"] for run in runs)
    return {
        "seeds": len(runs),
        "exact": sum(run["found"] == run["true"] and run["false"] == 0 for run in runs),
        "true": runs[0]["true"],
        "found": min(run["found"] for run in runs),
        "false": max(run["false"] for run in runs),
        "max_error": median(run["max_error"] for run in runs),
        "mean_error": median(run["mean_error"] for run in runs),
        "coverage": sum(run["covered"] for run in runs) / intervals if intervals else None,
        "cpu_s": median(run["cpu_s"] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
    }


def reached(summary: Mapping[str, Any], mean_bound: float, max_bound: float | None) -> bool:
    """Whether the terms are exact for every seed and the median errors within the bounds."""
    if "error" in summary or summary["exact"] < summary["seeds"]:
        return False
    return summary["mean_error"] <= mean_bound and (max_bound is None or summary["max_error"] <= max_bound)


def table_lines(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The table of the rows of a record: name, truth and bound, then one line per method."""
    lines = []
    for name, row in rows.items():
        lines += [f"{name}: {'; '.join(row['truth'])}", f"  bound: {_bound(row)}"]
        if row.get("cramer_rao"):
            lines.append(f"  Cramer-Rao bound: mean error {row['cramer_rao']:.3g} %{_ratios(row)}")
        if row["note"]:
            lines.append(f"  note: {row['note']}")
        if "skipped" in row:
            lines.append(f"  skipped: {row['skipped']}")
        if row["methods"]:
            lines += [f"  {line}" for line in aligned([COLUMNS, *_cells(row["methods"])])]
        lines += _failures(row["methods"])
        lines.append("")
    return lines[:-1]


def _ratios(row: Mapping[str, Any]) -> str:
    """The mean error of each method over the Cramer-Rao bound."""
    found = [
        f"{LABELS[method]} {entry['summary']['mean_error'] / row['cramer_rao']:.2f} times"
        for method, entry in row["methods"].items()
        if "error" not in entry["summary"]
    ]
    return f"; {', '.join(found)} that" if found else ""


def _bound(row: Mapping[str, Any]) -> str:
    largest = "" if row["max_bound"] is None else f", max error {row['max_bound']:g} %"
    return f"exact terms, mean error {row['mean_bound']:g} %{largest}"


def _cells(methods: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The words of one line per method that succeeded."""
    rows = []
    for method, entry in methods.items():
        one = entry["summary"]
        if "error" in one:
            continue
        rows.append(
            (
                LABELS[method],
                f"{one['found']}/{one['true']}",
                str(one["false"]),
                f"{one['exact']}/{one['seeds']}",
                f"{one['max_error']:.3g}",
                f"{one['mean_error']:.3g}",
                "" if one.get("coverage") is None else f"{100 * one['coverage']:.1f}",
                f"{one['cpu_s']:.1f}",
                f"{one['peak_mb']:.0f}",
                "yes" if entry["reached"] else "no",
            )
        )
    return rows


def _failures(methods: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"  {LABELS[method]} failed: {entry['summary']['error']}"
        for method, entry in methods.items()
        if "error" in entry["summary"]
    ]
