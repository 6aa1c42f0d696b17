"""The unknown numbers of an equation: for every term the functions that its coefficient is made of."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from pdenet.discovery.varying.basis import AxisBasis

Levels = tuple[int, ...]  # of a coefficient, by varying axis; of the curve, its degree alone


@dataclass(frozen=True)
class Structure:
    """What an equation is made of. terms: levels of the coefficient of each term, by its place in the library; all
    zero is a constant. degree: of the curve, None if there is none."""

    terms: Mapping[int, Levels]
    degree: int | None = None

    def with_term(self, term: int, levels: Levels | None) -> Structure:
        """The same with other levels of a term, or without it."""
        rest = {k: entry for k, entry in self.terms.items() if k != term}
        return Structure(rest if levels is None else dict(sorted({**rest, term: levels}.items())), self.degree)


@dataclass(frozen=True)
class Design:
    """Unknowns as pairs of a column of the moments and a function of the product basis.

    column, function: of each unknown. term: library place of each unknown, -1 for the curve. index: the function's
    number along each varying axis. values: of every function at the points of the moments.
    """

    column: Int64[np.ndarray, " unknown"]
    function: Int64[np.ndarray, " unknown"]
    term: Int64[np.ndarray, " unknown"]
    index: Int64[np.ndarray, "unknown axis"]
    level: Int64[np.ndarray, "unknown axis"]
    values: Float64[np.ndarray, "point function"]

    @property
    def n_unknowns(self) -> int:
        """Number of unknowns."""
        return len(self.column)

    def within(self, structure: Structure) -> Bool[np.ndarray, " unknown"]:
        """Which of the unknowns a smaller structure has."""
        kept = np.zeros(self.n_unknowns, dtype=bool)
        for term, levels in structure.terms.items():
            kept |= (self.term == term) & (self.level <= np.asarray(levels, dtype=np.int64)).all(axis=1)
        if structure.degree is not None:
            degree = self.column - self.column[self.term == -1].min(initial=0)
            kept |= (self.term == -1) & (degree <= structure.degree)
        return kept

    def fields(self, numbers: Float64[np.ndarray, " unknown"], n_columns: int) -> Float64[np.ndarray, "column point"]:
        """The coefficient of each column of the moments at every point."""
        found = np.zeros((n_columns, len(self.values)))
        for column in np.unique(self.column):
            chosen = self.column == column
            found[column] = self.values[:, self.function[chosen]] @ numbers[chosen]
        return found


def make_design(
    structure: Structure,
    bases: Sequence[AxisBasis],
    coordinates: Mapping[str, Float64[np.ndarray, " place"]],
    n_terms: int,
) -> Design:
    """The unknowns of a structure. n_terms: of the library; the polynomials of the curve are the columns after them."""
    n_axes = len(bases)
    ceiling = [max((levels[a] for levels in structure.terms.values()), default=0) for a in range(n_axes)]
    sizes = [basis.size(level) for basis, level in zip(bases, ceiling, strict=True)]
    functions = np.array(list(itertools.product(*map(range, sizes))), dtype=np.int64).reshape(math.prod(sizes), n_axes)
    levels_of = np.empty_like(functions)
    for a, basis in enumerate(bases):
        levels_of[:, a] = basis.levels(functions[:, a])
    rows: list[tuple[int, int, int]] = []
    for term, levels in structure.terms.items():
        within = (levels_of <= np.asarray(levels, dtype=np.int64)).all(axis=1)
        rows += [(term, m, term) for m in np.flatnonzero(within).tolist()]
    if structure.degree is not None:
        rows += [(n_terms + n, 0, -1) for n in range(structure.degree + 1)]
    column, function, term = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    values = np.ones((1, 1))
    for basis, level in zip(bases, ceiling, strict=True):
        along = basis.values(coordinates[basis.axis], level)
        values = (values[:, None, :, None] * along[None, :, None, :]).reshape(len(values) * len(along), -1)
    return Design(column, function, term, functions[function], levels_of[function], values)
