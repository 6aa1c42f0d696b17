"""Lists of terms as typed in options: `u*u_x, u_xx`, `u_t: u_xx = 0.1; v_t: v_xx = 0.2`.

Commas stand between terms, semicolons between equations. `NAME_t:` (or `NAME_tt:`) before a list says which equation it
is for; a list without it is for all of them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence

from backbone.errors import UsageError
from pdenet.equations.terms import Term, rate


def read_terms(
    text: str, names: Sequence[str], axes: Sequence[str], option: str, evolved: Sequence[str] | None = None
) -> Mapping[str, tuple[Term, ...]]:
    """The terms for the equation of each variable that the text has a list for.

    names, axes: variables and space axes of the data. option: where errors point. evolved: the variables that have an
    equation, all by default. Raises UsageError for what is no term, and for names that the data do not have.
    """
    found: dict[str, tuple[Term, ...]] = {}
    for chosen, entry in _entries(text, evolved or names, option):
        term = _term(entry, names, axes, option)
        found |= {name: tuple(dict.fromkeys((*found.get(name, ()), term))) for name in chosen}
    return found


def read_coefficients(
    text: str, names: Sequence[str], axes: Sequence[str], option: str, evolved: Sequence[str] | None = None
) -> Mapping[str, Mapping[Term, float]]:
    """Terms with their coefficients, `u_xx = 0.1`, for the equation of each variable that the text has a list for.

    Where there are several variables each list must say which equation it is for. Raises UsageError like `read_terms`,
    and for what is no number or is given twice.
    """
    found: dict[str, dict[Term, float]] = {}
    evolved = evolved or names
    for (name, *others), entry in _entries(text, evolved, option):
        written, equals, number = (part.strip() for part in entry.partition("="))
        term = _term(written, names, axes, option)
        if not equals:
            raise UsageError(f"'{written}' has no value", where=option, cure=f'{option} "{written}=0.1"')
        if others:
            raise UsageError(
                f"in which equation is {entry}? There are those of {', '.join(evolved)}",
                where=option,
                cure=f'{option} "{rate(name)}: {entry}"',
            )
        if found.setdefault(name, {}).setdefault(term, _number(number, option)) != float(number):
            raise UsageError(f"'{term}' is given two values", where=option, cure=f'{option} "{term}={number}"')
    return found


def _entries(text: str, names: Sequence[str], option: str) -> Iterator[tuple[list[str], str]]:
    """Every entry of every list, with the variables of the equations that it is for."""
    for clause in text.split(";"):
        head, colon, body = clause.rpartition(":")
        chosen = [_variable(head.strip(), names, option)] if colon else list(names)
        entries = [entry.strip() for entry in body.split(",")]
        if not all(entries):
            raise UsageError(f"an empty place in '{text}'", where=option, cure=f'{option} "u*u_x, u_xx"')
        yield from ((chosen, entry) for entry in entries)


def _variable(head: str, names: Sequence[str], option: str) -> str:
    lefts = {rate(name): name for name in names}
    if head not in lefts:
        near = difflib.get_close_matches(head, lefts, n=1, cutoff=0.0)[0]
        raise UsageError(
            f"'{head}' is no equation here; there are {', '.join(lefts)}",
            where=option,
            cure=f'{option} "{near}: ...; ..."',
        )
    return lefts[head]


def _number(text: str, option: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UsageError(f"'{text}' is no number", where=option, cure=f'{option} "u_xx=0.1"')
    return value


def _term(text: str, names: Sequence[str], axes: Sequence[str], option: str) -> Term:
    """A term made of variables and axes that there are."""
    try:
        term = Term.parse(text)
    except UsageError as error:
        raise UsageError(error.what, where=option, cure=f'{option} "u*u_x, u_xx"') from error
    for factor in term.factors:
        if factor.variable in names and set(factor.derivative) <= set(axes):
            continue
        known = [*names, *(f"{name}_{axis * n}" for name in names for axis in axes for n in (1, 2, 3, 4))]
        near = difflib.get_close_matches(str(factor), known, n=1)
        what = f"there is no '{factor}': the data have {', '.join(names)} and {', '.join(sorted(axes))}"
        did = f". Did you mean {near[0]}?" if near else ""
        cure = (
            f'{option} "{text.replace(str(factor), near[0])}"' if near else f'{option} "{names[0]}_{sorted(axes)[0]}"'
        )
        raise UsageError(what + did, where=option, cure=cure)
    return term
