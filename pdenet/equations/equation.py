"""Discovered equations, `u_t = sum of coefficient times term`, with full digits; `printing` has every format."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backbone.errors import UsageError
from pdenet.equations.terms import Factor, Term, is_velocity, rate, velocity

_LEFT = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[0-9]+)?_tt?")
_NUMBER = r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?"
_TERM = r"(?!(nan|inf)\b)[A-Za-z][A-Za-z0-9_*]*"  # a number that is none is no variable
_PIECE = re.compile(rf"(?P<sign>[+-]?)\s*((?P<number>{_NUMBER})(\*(?P<term>{_TERM}))?|(?P<bare>{_TERM}))\s*")


@dataclass(frozen=True)
class Equation:
    """`lhs = sum_k coefficients[k] * terms[k]`, for example u_t = -u*u_x + 0.1*u_xx.

    lhs: `u_t`, or `u_tt`, the rate of the velocity u_t. coefficients, errors: one number per term, in the units of
    the data; errors are one standard error each, empty when they were not estimated.
    """

    lhs: str
    terms: tuple[Term, ...]
    coefficients: tuple[float, ...]
    errors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.terms) != len(self.coefficients) or len(self.errors) not in (0, len(self.terms)):
            raise ValueError(f"{self.lhs}: {len(self.terms)} terms, {len(self.coefficients)} coefficients")

    @property
    def variable(self) -> str:
        """The variable whose time derivative stands on the left."""
        return self.lhs.removesuffix("t") if self.lhs.endswith("_tt") else self.lhs.removesuffix("_t")

    def as_dict(self) -> dict[str, Any]:
        """The machine-readable form of the command line's `--json`."""
        rows: list[dict[str, Any]] = []
        for k, (term, coefficient) in enumerate(zip(self.terms, self.coefficients, strict=True)):
            row: dict[str, Any] = {"term": str(term), "coef": coefficient}
            if self.errors:
                row["error"] = self.errors[k]
            rows.append(row)
        return {"lhs": self.lhs, "terms": rows}

    @classmethod
    def of(
        cls, variable: str, terms: Sequence[Term], coefficients: Sequence[float], errors: Sequence[float] = ()
    ) -> Equation:
        """The equation of a variable."""
        return cls(rate(variable), tuple(terms), tuple(map(float, coefficients)), tuple(map(float, errors)))

    @classmethod
    def of_motion(cls, name: str) -> Equation:
        """What says that the velocity is one: u_t = u_t, beside an equation of u_tt."""
        return cls.of(name, [Term.product([Factor(velocity(name))])], [1.0])

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Equation:
        """Inverse of `as_dict`."""
        rows: Sequence[Mapping[str, Any]] = record["terms"]
        errors = tuple(float(row["error"]) for row in rows if "error" in row)
        return cls(
            lhs=record["lhs"],
            terms=tuple(Term.parse(row["term"]) for row in rows),
            coefficients=tuple(float(row["coef"]) for row in rows),
            errors=errors,
        )

    def to_text(self, digits: int | None = 4) -> str:
        """`u_t = -1.003*u*u_x + u_xx`; digits=None keeps every digit, so that parsing it back is exact."""
        pieces = []
        for term, coefficient in zip(self.terms, self.coefficients, strict=True):
            factors = [str(term)] if term.powers else []
            pieces.append((coefficient < 0, scaled(rounded(abs(coefficient), digits), factors)))
        return f"{self.lhs} = {signed_sum(pieces)}"

    @classmethod
    def parse(cls, text: str) -> Equation:
        """Inverse of `to_text`, exact if every digit was kept; UsageError with the place if it is anything else.

        Only sums of numbers times terms are read; `pdenet.equations.expression` reads equations typed by hand.
        """
        left, equals, right = (part.strip() for part in text.partition("="))
        if not equals or _LEFT.fullmatch(left) is None:
            raise UsageError(f"'{left}' is no left side", where=f"equation '{text}'", cure="write u_t = 0.1*u_xx")
        terms, coefficients, place = [], [], 0
        while right != "0" and (place == 0 or place < len(right)):
            piece = _PIECE.match(right, place)
            if piece is None or (place > 0 and not piece["sign"]):
                raise UsageError(
                    f"cannot read '{right[place:]}'",
                    where=f"equation '{text}'",
                    cure="write u_t = -1.0*u*u_x + 0.1*u_xx",
                )
            terms.append(_read_term(piece["term"] or piece["bare"] or "1", left, text))
            coefficients.append(float(f"{piece['sign']}{piece['number'] or 1}"))
            place = piece.end()
        return cls(left, tuple(terms), tuple(coefficients))


def _read_term(written: str, left: str, text: str) -> Term:
    """A term of the equation `text`; UsageError for a velocity beside a first time derivative."""
    term = Term.parse(written)
    if not left.endswith("_tt") and any(is_velocity(factor.variable) for factor in term.factors):
        raise UsageError(
            f"'{written}' is a time derivative, which stands on the left",
            where=f"equation '{text}'",
            cure="write u_t = -1.0*u*u_x + 0.1*u_xx, or u_tt = u_xx - 0.1*u_t",
        )
    return term


def rounded(number: float, digits: int | None) -> str:
    """A number with `digits` significant digits, or with every digit it has."""
    return repr(number) if digits is None else f"{number:.{digits}g}"


def scaled(number: str, factors: Sequence[str], times: str = "*") -> str:
    """`0.1*u_xx` from a number and factors; a 1 before factors is left out."""
    return times.join(factors if factors and number == "1" else (number, *factors))


def signed_sum(pieces: Sequence[tuple[bool, str]], minus: str = "-") -> str:
    """`-a + b - c` from pairs of "is negative" and body; `0` from none."""
    if not pieces:
        return "0"
    (first_negative, first), *others = pieces
    words = [f"{minus if first_negative else ''}{first}"]
    words += [f"{minus if negative else '+'} {body}" for negative, body in others]
    return " ".join(words)
