"""The record of a run of `learn`, read from its folder and checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backbone.errors import InputError, ModelError, UntrustedResult, UsageError
from backbone.runs import VERSIONS, is_complete
from pdenet.discovery.varying.equation import VaryingEquation
from pdenet.equations.equation import Equation
from pdenet.equations.expression import parse_system
from pdenet.learned.folder import demand_run, no_equations
from pdenet.learned.record import DIGEST, FILE, FORMAT, METRICS, Learned, digest


def read_learned(run: Path, *, allow_partial: bool = False) -> Learned:
    """What RUN/equation.json holds.

    allow_partial: of a run that was stopped, the equations of its last checkpoint.
    Raises InputError if there is no such folder or its run has not finished, ModelError if it is no run of `learn`,
    or its record is damaged, was changed, or was written by a newer version; UntrustedResult if it could not tell.
    """
    demand_run(run)
    if not is_complete(run):
        return _from_checkpoint(run, allow_partial)
    if not (run / FILE).exists():
        _demand_no_doubts(run)
        raise no_equations(run)
    record = read_json(run / FILE)
    try:
        _demand_known_format(record, run)
        _demand_untouched(record, run)
        return _checked(Learned.from_dict(record))
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise damaged(run / FILE, error) from error


def demand_finished(run: Path) -> None:
    """Raise what `read_learned` does of a folder that is not that of a finished run."""
    demand_run(run)
    if not is_complete(run):
        _from_checkpoint(run, allow_partial=False)


def _demand_no_doubts(run: Path) -> None:
    """Refuse a run whose data did not decide the equations."""
    doubts = read_json(run / METRICS).get("doubts", []) if (run / METRICS).exists() else []
    if doubts:
        raise UntrustedResult(
            f"the run '{run}' found no equations to trust: {doubts[0]['what']}",
            where=str(run / METRICS),
            cure=f"{doubts[0]['experiment']}; for all that it weighed: pdenet-durr equation {run} --all",
        )


def read_json(file: Path) -> Any:
    """A JSON document of a run; ModelError if it is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(file, error) from error


def damaged(file: Path, error: Exception) -> ModelError:
    """The complaint about a file of a run that does not hold what it should."""
    return ModelError(
        f"{file.name} is damaged: {type(error).__name__}: {getattr(error, 'what', error)}",
        where=str(file),
        cure="learn again from the same data; data.json names them",
    )


def _demand_known_format(record: Mapping[str, Any], run: Path) -> None:
    """Refuse what a later program wrote: its numbers may mean something else."""
    if record.get("format", 0) > FORMAT:
        writer = read_json(run / VERSIONS).get("pdenet-durr", "of a later version")
        raise ModelError(
            f"{FILE} has the format {record['format']}, written by pdenet-durr {writer}; known here: {FORMAT}",
            where=str(run / FILE),
            cure="pip install --upgrade pdenet-durr",
        )


def _demand_untouched(record: Mapping[str, Any], run: Path) -> None:
    """Refuse a record that is not what `learn` wrote; those from before there was a digest pass."""
    if DIGEST in record and record[DIGEST] != digest(record):
        raise ModelError(
            f"{FILE} was changed after learn wrote it: its digest differs",
            where=str(run / FILE),
            cure='put the original back, or run your own: pdenet-durr simulate "u_t = 0.1*u_xx" -o F.npz',
        )


def _checked(learned: Learned) -> Learned:
    for equation in learned.equations:
        if isinstance(equation, VaryingEquation):
            continue
        if not all(math.isfinite(number) for number in (*equation.coefficients, *equation.errors)):
            raise ValueError(f"{equation.lhs} has a coefficient that is no number")
        Equation.parse(equation.to_text(digits=None))  # refuses names that are none
    if not learned.equations:
        raise ValueError("it holds no equations")
    if learned.has_fields:
        parse_system("\n".join(equation.to_text(None) for equation in learned.equations), len(learned.dx))
    return learned


def _from_checkpoint(run: Path, allow_partial: bool) -> Learned:
    """The last checkpoint of a stopped run, if that is wanted and there is one."""
    from pdenet.network.checkpoint import FILE as CHECKPOINT
    from pdenet.network.checkpoint import last_stage

    if not (run / CHECKPOINT).exists():
        raise InputError(
            f"the run '{run}' has not finished: it has no DONE, and no checkpoint to show",
            where=str(run),
            cure="let it finish, or learn again",
        )
    stage, dt, dx = last_stage(run)
    if not allow_partial:
        raise InputError(
            f"the run '{run}' has not finished: it has no DONE; its last checkpoint is after {stage.name}",
            where=str(run),
            cure=f"pdenet-durr equation {run} --allow-partial",
        )
    return _checked(Learned(equations=stage.equations, recipe="paper", dt=dt, dx=dx))
