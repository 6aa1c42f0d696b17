"""What `equation` prints of a run: its equations in a format, or all that it weighed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from backbone.errors import UsageError
from pdenet.equations.printing import check_format, format_equations
from pdenet.learned.candidates import Weighed, table_lines
from pdenet.learned.record import Learned
from pdenet.learned.script import script_of

SCRIPT = "py-pde"
ONE_LINE = ("text", "unicode", "latex", "sympy")  # formats with one line an equation


def check_words(form: str, *, everything: bool) -> None:
    """Raise UsageError for an unknown format, or for the table in a format that has no place for it."""
    check_format(form, [SCRIPT])
    if everything and form not in (*ONE_LINE, "json"):
        raise UsageError(
            f"--format {form} has no place for a table of candidates", where="--all", cure="--all --format text"
        )


def print_learned(learned: Learned, form: str, digits: int | None, *, errors: bool) -> str:
    """The equations in one of the formats of `format_equations`, or as a script for py-pde."""
    if learned.has_fields:
        return _print_fields(learned, form, digits, errors=errors)
    if form == SCRIPT:
        if errors:
            raise UsageError(
                "a script has no place for standard errors", where="--errors", cure="--format latex --errors"
            )
        return script_of(learned, digits)
    return format_equations(learned.equations, form, digits, errors=errors)


def _print_fields(learned: Learned, form: str, digits: int | None, *, errors: bool) -> str:
    """Equations with fields: as text, fields that are no formula as c(x, y), or as one document with every series."""
    if errors or form not in ("text", "json"):
        raise UsageError(
            f"{'standard errors of' if errors else f'--format {form} has no place for'} coefficients that are fields"
            + (" are fields themselves" if errors else ""),
            where="--errors" if errors else "--format",
            cure="--format text; values and errors at every point are in the run's fields.npz",
        )
    if form == "json":
        return json.dumps({"equations": [equation.as_dict() for equation in learned.equations]}, indent=2)
    return "\n".join(equation.to_text(digits) for equation in learned.equations)


def print_candidates(candidates: Mapping[str, Sequence[Weighed]], form: str, digits: int | None) -> str:
    """The table of all candidates, with their equations in the format; for json, one document with all digits."""
    if form == "json":
        table = {name: [weighed.as_dict() for weighed in several] for name, several in candidates.items()}
        return json.dumps({"candidates": table}, indent=2, allow_nan=False)
    equations = [weighed.equation for several in candidates.values() for weighed in several]
    lines = {equation: format_equations([equation], form, digits) for equation in equations}
    return "\n".join(table_lines(candidates, lines))
