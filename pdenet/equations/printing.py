"""Equations in every output format: text, Unicode, LaTeX, SymPy and Python source, JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal, get_args

from backbone.errors import UsageError
from pdenet.equations.equation import Equation
from pdenet.equations.notation import NOTATIONS
from pdenet.equations.source_code import python_source, sympy_source

Format = Literal["text", "unicode", "latex", "sympy", "python", "json"]
WITH_ERRORS = ("text", "unicode", "latex")


def format_equations(equations: Sequence[Equation], form: str, digits: int | None = 4, *, errors: bool = False) -> str:
    """The equations in one of the formats, one per line; python and json give one document.

    digits: significant digits, so that no small term prints as 0; None for all of them; json always has all.
    errors: show standard errors, in text, unicode and latex, and every digit down to theirs. sympy lines are read by
    `sympy.sympify`; python defines `rhs(u, u_x, ...)`.
    Raises UsageError for an unknown format, and for errors that the format or the equations do not have.
    """
    check_format(form)
    if errors:
        _check_errors(equations, form)
    match form:
        case "json":
            return json.dumps({"equations": [equation.as_dict() for equation in equations]}, indent=2, allow_nan=False)
        case "python":
            return python_source(equations, digits)
        case "sympy":
            return sympy_source(equations, digits)
    return "\n".join(NOTATIONS[form].line(equation, digits, errors=errors) for equation in equations)


def shortened(text: str, characters: int) -> str:
    """The text, or its beginning and dots where it is longer than that."""
    return text if len(text) <= characters else text[:characters] + " ..."


def check_format(form: str, others: Sequence[str] = ()) -> None:
    """Raise UsageError if this is none of the formats, nor of the others that the caller knows."""
    known = (*get_args(Format), *others)
    if form not in known:
        near = get_close_matches(form, known, n=1)
        raise UsageError(
            f"unknown format '{form}'; formats are {', '.join(known)}",
            where="--format",
            cure=f"--format {near[0] if near else 'text'}",
        )


def _check_errors(equations: Sequence[Equation], form: str) -> None:
    if form not in WITH_ERRORS:
        raise UsageError(
            f"--format {form} has no place for standard errors",
            where="--errors",
            cure=f"--format {WITH_ERRORS[0]} --errors",
        )
    for equation in equations:
        if equation.terms and not equation.errors:
            raise UsageError(
                f"the coefficients of {equation.lhs} came without standard errors", where="--errors", cure="--no-errors"
            )
