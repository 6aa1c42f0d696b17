"""An equation with fields for coefficients and a curve for a source, as found: values, bands and formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from pdenet.equations.equation import scaled, signed_sum
from pdenet.equations.terms import Term

Piece = tuple[float, str]  # a number times a text; the text of a constant is empty


@dataclass(frozen=True)
class FieldCoefficient:
    """The coefficient of one term. axes: along which it varies, none for a constant; coordinates: along these.

    values, errors: at the coordinates, errors being one standard error. series: numbers and functions whose sum it is.
    closed: whether these are few enough to be a formula. share: RMS of coefficient times term over that of u_t.
    """

    term: Term
    axes: tuple[str, ...]
    coordinates: Mapping[str, Float64[np.ndarray, " place"]]
    values: Float64[np.ndarray, "*place"]
    errors: Float64[np.ndarray, "*place"]
    series: tuple[Piece, ...]
    closed: bool
    share: float

    @property
    def band(self) -> float:
        """RMS of the standard error over that of the coefficient."""
        return float(np.sqrt(np.mean(self.errors**2) / max(np.mean(self.values**2), 1e-300)))

    def words(self, digits: int | None, *, whole: bool) -> str:
        """The coefficient as text: its series, or c(x, y) where that is no formula, unless the whole is wanted."""
        if not self.closed and not whole:
            return f"c({', '.join(sorted(self.axes))})"
        return summed(self.series, digits)


@dataclass(frozen=True)
class SourceCurve:
    """f(variable) at values `at`, with one standard error. series, closed: as of a field. range of the data: `at`."""

    variable: str
    at: Float64[np.ndarray, " value"]
    values: Float64[np.ndarray, " value"]
    errors: Float64[np.ndarray, " value"]
    series: tuple[Piece, ...]
    closed: bool

    @property
    def band(self) -> float:
        """RMS of the standard error over that of the curve."""
        return float(np.sqrt(np.mean(self.errors**2) / max(np.mean(self.values**2), 1e-300)))

    def words(self, digits: int | None, *, whole: bool) -> str:
        """The curve as text, or f(u) where there is no formula."""
        return summed(self.series, digits) if self.closed or whole else f"f({self.variable})"


@dataclass(frozen=True)
class VaryingEquation:
    """variable_t = sum of coefficient times term + source. unexplained: share of the mean square of the averaged time
    derivative that is left on data left out, beyond noise."""

    variable: str
    coefficients: tuple[FieldCoefficient, ...]
    source: SourceCurve | None
    unexplained: float

    @property
    def lhs(self) -> str:
        """`u_t`."""
        return f"{self.variable}_t"

    def as_dict(self) -> dict[str, Any]:
        """What prints it and runs it, without values and bands."""
        rows = [{"term": str(entry.term), "axes": list(entry.axes), **_series(entry)} for entry in self.coefficients]
        source = None if self.source is None else {"variable": self.source.variable, **_series(self.source)}
        return {"lhs": self.lhs, "text": self.to_text(), "fields": rows, "source": source}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> VaryingEquation:
        """Inverse of `as_dict`; values and bands are empty."""
        none = np.zeros(0)
        coefficients = tuple(
            FieldCoefficient(
                term=Term.parse(row["term"]),
                axes=tuple(row["axes"]),
                coordinates={},
                values=none,
                errors=none,
                share=float("nan"),
                **_read_series(row),
            )
            for row in record["fields"]
        )
        curve = record["source"]
        source = None
        if curve is not None:
            source = SourceCurve(variable=curve["variable"], at=none, values=none, errors=none, **_read_series(curve))
        return cls(record["lhs"].removesuffix("_t"), coefficients, source, float("nan"))

    def to_text(self, digits: int | None = 4, *, whole: bool = False) -> str:
        """`u_t = (0.8 + 2*cos(y))*u_x + c(x, y)*u_y + 0.2*u_xx`; whole, and with all digits: every field and curve as
        its series, in the language that `pdenet-durr simulate` reads."""
        whole = whole or digits is None
        pieces = []
        for coefficient in self.coefficients:
            factors = [str(coefficient.term)] if coefficient.term.powers else []
            words = coefficient.words(digits, whole=whole)
            if coefficient.axes:
                if factors and (coefficient.closed or whole):
                    words = f"({words})"
                pieces.append((False, "*".join([words, *factors])))
            else:
                negative = words.startswith("-")
                pieces.append((negative, scaled(words.removeprefix("-"), factors)))
        if self.source is not None:
            pieces.append((False, self.source.words(digits, whole=whole)))
        return f"{self.lhs} = {signed_sum(pieces)}".replace("+ -", "- ")


def _series(entry: FieldCoefficient | SourceCurve) -> dict[str, Any]:
    return {"series": [[float(c), text] for c, text in entry.series], "closed": bool(entry.closed)}


def _read_series(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"series": tuple((float(c), str(text)) for c, text in row["series"]), "closed": bool(row["closed"])}


def summed(series: tuple[Piece, ...], digits: int | None) -> str:
    """`0.8 + 2*cos(y)` of numbers and texts."""
    pieces = []
    for number, text in series:
        size = repr(abs(number)) if digits is None else f"{abs(number):.{digits}g}"
        pieces.append((number < 0, scaled(size, [text] if text else [])))
    return signed_sum(pieces)
