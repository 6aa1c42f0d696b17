"""Discovered equations: `u_t = sum of coefficient times term`, kept with full digits and printed in any format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backbone.errors import UsageError
from pdenet.terms import Term

Format = Literal["text", "unicode", "latex", "sympy", "python", "json"]


@dataclass(frozen=True)
class Equation:
    """`lhs = sum_k coefficients[k] * terms[k]`, for example u_t = -u*u_x + 0.1*u_xx.

    lhs: `u_t`. coefficients, errors: one number per term, in the units of the data; errors are one standard
    error each, empty when they were not estimated.
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
        return self.lhs.removesuffix("_t")

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
        """`u_t = -1.003*u*u_x + 0.1*u_xx`; digits=None keeps every digit, so that parsing it back is exact."""
        pieces = []
        for term, coefficient in zip(self.terms, self.coefficients, strict=True):
            number = repr(abs(coefficient)) if digits is None else f"{abs(coefficient):.{digits}g}"
            body = number if not term.powers else f"{number}*{term}"
            sign = "-" if coefficient < 0 else "+"
            pieces.append(f"{sign} {body}" if pieces else f"{'-' if coefficient < 0 else ''}{body}")
        return f"{self.lhs} = {' '.join(pieces) or '0'}"


def format_equations(equations: Sequence[Equation], form: Format, digits: int = 4) -> str:
    """The equations in one of the output formats, one per line (one document for json and python)."""
    if form == "text":
        return "\n".join(equation.to_text(digits) for equation in equations)
    raise UsageError(f"unknown format '{form}'", where="--format", cure="--format text")
