"""A forecast in words: the table on stdout, the machine-readable document."""

from __future__ import annotations

from typing import Any

import numpy as np

from pdenet.forecasting.comparison import LIMIT
from pdenet.forecasting.forecast import Forecast

MOST_ROWS = 21  # of the table; the document has every time


def table_lines(found: Forecast) -> list[str]:
    """What there is to tell at about 20 times; then the horizon of each solver."""
    times, columns = found.plan.times, _columns(found)
    header = ["t", *columns]
    rows = np.unique(np.linspace(0, len(times) - 1, min(len(times), MOST_ROWS)).round().astype(int))
    body = [[f"{times[k]:.6g}", *(column[k] for column in columns.values())] for k in rows]
    widths = [max(len(row[k]) for row in [header, *body]) for k in range(len(header))]
    lines = ["  ".join(word.rjust(width) for word, width in zip(row, widths, strict=True)) for row in [header, *body]]
    return [*lines, *horizon_lines(found)]


def _columns(found: Forecast) -> dict[str, list[str]]:
    """The curves in per cent; with nothing to compare, the range of every variable."""
    if found.curves:
        return {name: [_per_cent(share) for share in curve] for name, curve in found.curves.items()}
    by_time = np.moveaxis(found.field.values, (1, 2), (1, 0)).reshape(len(found.field.names), len(found.plan.times), -1)
    return {
        name: [f"{low:.4g} to {high:.4g}" for low, high in zip(values.min(axis=1), values.max(axis=1), strict=True)]
        for name, values in zip(found.field.names, by_time, strict=True)
    }


def horizon_lines(found: Forecast) -> list[str]:
    """How long each solver stays within the limit."""
    first, last = found.plan.times[0], found.plan.times[-1]
    lines = []
    for solver, reached in found.horizons.items():
        if reached is None:
            lines.append(f"horizon of the {solver}: beyond t = {last:g}, the error stays below {LIMIT:.0%}")
        else:
            lines.append(
                f"horizon of the {solver}: the error passes {LIMIT:.0%} at t = {reached:.4g}, "
                f"{reached - first:.4g} after the start"
            )
    return lines


def _per_cent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.3g} %"


def summary(found: Forecast) -> dict[str, Any]:
    """The machine-readable result: curves at every time, horizons, notes; errors as shares, not per cent."""
    plan = found.plan
    document: dict[str, Any] = {
        "run": plan.source.name,
        "equations": [equation.as_dict() for equation in plan.source.learned.equations],
        "solvers": list(plan.solvers),
        "start": {"source": plan.start.source, "t": plan.start.t0},
        "times": list(plan.times),
        "curves": {name: [_finite(share) for share in curve] for name, curve in found.curves.items()},
        "limit": LIMIT,
        "horizons": dict(found.horizons),
        "notes": list(found.notes),
    }
    if found.ensemble is not None:
        document["ensemble"] = {"size": found.ensemble.size, "lost": found.ensemble.lost, "seed": plan.seed}
    return document


def _finite(share: float) -> float | None:
    return float(share) if np.isfinite(share) else None
