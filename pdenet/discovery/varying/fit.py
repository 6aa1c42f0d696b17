"""The numbers of an equation of known structure, and what they say in values, bands and formulas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from pdenet.discovery.varying.bands import covariance, deviations
from pdenet.discovery.varying.closed_form import FoundForm
from pdenet.discovery.varying.columns import Curve
from pdenet.discovery.varying.crossvalidation import CrossValidation, inverse_of
from pdenet.discovery.varying.equation import FieldCoefficient, Piece, SourceCurve, VaryingEquation
from pdenet.discovery.varying.structure import Search
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

N_VALUES = 201  # of a curve, over the range that all but the rarest values of the data fill
FEW = 3  # functions that are a formula even where none could be left out
RARE = 0.002  # share of the data at either end of the range of a curve that is left out of it


class Fit:
    """Least squares on all data. kept: unknowns of the design that are fitted. form: of the curve, if it has one."""

    def __init__(
        self,
        search: Search,
        cv: CrossValidation,
        kept: Bool[np.ndarray, " unknown"],
        form: FoundForm | None,
        terms: Sequence[Term],
        curve: Curve | None,
    ) -> None:
        self._search, self._design, self._kept = search, cv.design, kept
        self._form, self._terms, self._curve = form, terms, curve
        unknowns = np.eye(cv.design.n_unknowns)[:, kept] if form is None else form.unknowns[:, self._of_form(form)]
        inverse = inverse_of(unknowns.T @ cv.total.matrix @ unknowns)
        self._parameters = inverse @ (unknowns.T @ cv.total.side)
        self._numbers = unknowns @ self._parameters
        through = unknowns @ inverse @ unknowns.T
        self._spread = covariance(search.moments, search.target, cv.design, self._numbers, through)

    def _of_form(self, form: FoundForm) -> Bool[np.ndarray, " parameter"]:
        """Parameters of the kept unknowns of the terms, and all of the form."""
        of_terms = self._kept[self._design.term != -1]
        return np.concatenate([of_terms, np.ones(len(form.form.parts), dtype=bool)])

    def equation(self, name: str, field: Field, unexplained: float) -> VaryingEquation:
        """All of it, for the variable `name`."""
        places = np.unique(self._design.term[self._kept])
        coefficients = [self._coefficient(int(term)) for term in places if term >= 0]
        ranked = sorted(coefficients, key=lambda coefficient: -coefficient.share)
        return VaryingEquation(name, tuple(ranked), self._source(field), unexplained)

    def _coefficient(self, term: int) -> FieldCoefficient:
        design, bases = self._design, self._search.bases
        rows = np.flatnonzero((design.term == term) & self._kept)
        at_points = design.values[:, design.function[rows]]
        values = at_points @ self._numbers[rows]
        errors = deviations(at_points, self._spread[np.ix_(rows, rows)])
        varying = [a for a in range(len(bases)) if design.level[rows, a].any()]
        coordinates = self._search.moments.coordinates
        shape = tuple(len(at) for at in coordinates.values())
        some = tuple(slice(None) if a in varying else 0 for a in range(len(bases)))
        own = self._design.term == term
        target = self._search.target
        products = self._search.moments.clean.sum(axis=0)
        return FieldCoefficient(
            term=self._terms[term],
            axes=tuple(bases[a].axis for a in varying),
            coordinates={bases[a].axis: coordinates[bases[a].axis] for a in varying},
            values=np.asarray(values.reshape(shape)[some]),
            errors=np.asarray(errors.reshape(shape)[some]),
            series=tuple(self._piece(row) for row in rows.tolist()),
            closed=bool(not varying or len(rows) < np.count_nonzero(own) or len(rows) <= FEW),
            share=float(np.sqrt(max(np.sum(values**2 * products[term, term]), 0.0) / products[target, target].sum())),
        )

    def _piece(self, row: int) -> Piece:
        """The number of one unknown, and the product of functions that it stands before."""
        number, words = float(self._numbers[row]), []
        for basis, function in zip(self._search.bases, self._design.index[row], strict=True):
            scale, text = basis.formula(int(function))
            number *= scale
            words += [text] if text else []
        return number, "*".join(words)

    def _source(self, field: Field) -> SourceCurve | None:
        curve = self._curve
        if curve is None:
            return None
        rows = np.flatnonzero(self._design.term == -1)
        values = field.values[:, :, field.names.index(curve.variable)]
        at = np.linspace(*np.nanquantile(values, [RARE, 1.0 - RARE]), N_VALUES)
        functions = curve.values(at, len(rows) - 1)
        return SourceCurve(
            variable=curve.variable,
            at=at,
            values=functions @ self._numbers[rows],
            errors=deviations(functions, self._spread[np.ix_(rows, rows)]),
            series=self._curve_pieces(curve, self._numbers[rows]),
            closed=self._form is not None,
        )

    def _curve_pieces(self, curve: Curve, numbers: Float64[np.ndarray, " degree"]) -> tuple[Piece, ...]:
        if self._form is None:
            pieces = [curve.formula(n) for n in range(len(numbers))]
            return tuple((float(c) * scale, text) for c, (scale, text) in zip(numbers, pieces, strict=True))
        rate = f"{self._form.rate:.6g}"
        found = self._parameters[len(self._parameters) - len(self._form.form.parts) :]
        words = [text.format(u=curve.variable, w=rate) for text in self._form.form.words]
        return tuple((float(c), text) for c, text in zip(found, words, strict=True))
