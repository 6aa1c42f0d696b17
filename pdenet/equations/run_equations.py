"""The equations that a finished run of `learn` left in its folder."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from backbone.errors import Failure, InputError, ModelError
from backbone.runs import VERSIONS, is_complete
from pdenet.equations.equation import Equation

FILE = "equation.json"


def read_equations(run: Path) -> tuple[Equation, ...]:
    """The equations in RUN/equation.json.

    Raises InputError if there is no such folder or its run has not finished, ModelError if it is no run of `learn`
    or its equations are damaged.
    """
    if not run.exists():
        raise _missing(run)
    file = run / FILE
    if not run.is_dir() or not (file.exists() or (run / VERSIONS).exists()):
        raise ModelError(f"'{run}' is not the folder of a run", where=str(run), cure="pdenet-durr learn DATA -o RUN")
    if not is_complete(run):
        raise InputError(
            f"the run '{run}' has not finished: it has no DONE", where=str(run), cure="let it finish, or learn again"
        )
    if not file.exists():
        raise ModelError(
            f"'{run}' is no run of learn: it has no {FILE}", where=str(run), cure="name a folder that learn has written"
        )
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return _checked([Equation.from_dict(row) for row in record["equations"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, Failure) as error:
        raise ModelError(
            f"{FILE} is damaged: {type(error).__name__}: {getattr(error, 'what', error)}",
            where=str(file),
            cure="learn again from the same data; data.json names them",
        ) from error


def _checked(equations: Sequence[Equation]) -> tuple[Equation, ...]:
    for equation in equations:
        if not all(math.isfinite(number) for number in (*equation.coefficients, *equation.errors)):
            raise ValueError(f"{equation.lhs} has a coefficient that is no number")
        Equation.parse(equation.to_text(digits=None))  # refuses names that are none
    if not equations:
        raise ValueError("it holds no equations")
    return tuple(equations)


def _missing(run: Path) -> InputError:
    runs = sorted(_runs(run.parent)) if run.parent.is_dir() else []
    near = get_close_matches(run.name, runs, n=1, cutoff=0.5)
    told = f"Runs in this folder: {', '.join(runs) or 'none'}." if run.parent.is_dir() else "Its folder is not there."
    return InputError(
        f"cannot find the run '{run}'. {told}" + (f" Did you mean {near[0]}?" if near else ""),
        where="RUN",
        cure=f"pdenet-durr equation {run.parent / near[0]}" if near else "pdenet-durr learn DATA -o RUN",
    )


def _runs(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if (entry / FILE).is_file()]
