"""The files of a forecast: itself, and beside it the network's and the spread of the ensemble."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pdenet.fields.field import Field
from pdenet.forecasting.forecast import Forecast
from pdenet.writers import check_output, write_field


def check_outputs(out: Path, *, solver: str | None, ensemble: int, overwrite: bool) -> None:
    """Refuse outputs that exist, before any work; see `pdenet.writers.check_output`."""
    wanted = {out: True, _beside(out, "network"): solver == "both", _beside(out, "spread"): ensemble > 0}
    for path in (path for path, is_written in wanted.items() if is_written):
        check_output(path, overwrite=overwrite)


def write_forecast(found: Forecast, out: Path, *, overwrite: bool = False) -> dict[str, str]:
    """Write OUT, and for both solvers OUT-network, for an ensemble OUT-spread; the SHA-256 of every file by its path.

    The spread is the standard deviation over the members of the ensemble, under the names of the variables.
    """
    first, *others = found.plan.solvers
    fields: dict[Path, Field] = {out: found.fields[first]}
    fields |= {_beside(out, solver): found.fields[solver] for solver in others}
    if found.ensemble is not None:
        fields[_beside(out, "spread")] = found.ensemble.spread
    recipe = {
        "run": found.plan.source.name,
        "equations": "; ".join(equation.to_text(digits=None) for equation in found.plan.source.learned.equations),
        "solvers": ", ".join(found.plan.solvers),
        "start": f"{found.plan.start.source} at t = {found.plan.start.t0!r}",
    }
    written = {path: write_field(field, path, recipe=recipe, overwrite=overwrite) for path, field in fields.items()}
    return {str(path): hashlib.sha256(content).hexdigest() for path, content in written.items()}


def _beside(out: Path, word: str) -> Path:
    return out.with_stem(f"{out.stem}-{word}")
