"""How well coefficients fitted without a part of the data do on that part, for many structures at little cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.linalg
from jaxtyping import Bool, Float64

from pdenet.discovery.varying.design import Design
from pdenet.discovery.varying.moments import Moments

MAX_FOLDS = 5
RIDGE = 1e-13  # of the scaled normal matrix: keeps rounding from making it indefinite


@dataclass(frozen=True)
class Normal:
    """Normal matrix and right side of all unknowns of a design, of one fold of the data or of all."""

    matrix: Float64[np.ndarray, "unknown unknown_"]
    side: Float64[np.ndarray, " unknown"]


def normal_of(sums: Float64[np.ndarray, "column column_ point"], target: int, design: Design) -> Normal:
    """Sum over the points of the moments times the functions there."""
    matrix = np.empty((design.n_unknowns,) * 2)
    side = np.empty(design.n_unknowns)
    members = {int(c): np.flatnonzero(design.column == c) for c in np.unique(design.column)}
    functions = {c: design.values[:, design.function[rows]] for c, rows in members.items()}
    for c, rows in members.items():
        side[rows] = functions[c].T @ sums[c, target]
        for d, others in members.items():
            if d >= c:
                part = functions[c].T @ (sums[c, d][:, None] * functions[d])
                matrix[np.ix_(rows, others)] = part
                matrix[np.ix_(others, rows)] = part.T
    return Normal(matrix, side)


def inverse_of(matrix: Float64[np.ndarray, "unknown unknown_"]) -> Float64[np.ndarray, "unknown unknown_"]:
    """The inverse of a normal matrix that noise correction may have made slightly indefinite."""
    if not len(matrix):
        return matrix
    scale = 1.0 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    scaled = matrix * np.outer(scale, scale)
    ridge = RIDGE
    while ridge < 1.0:
        factor, failed = scipy.linalg.lapack.dpotrf(scaled + ridge * np.eye(len(scaled)), lower=1)
        if not failed:
            inverse, _ = scipy.linalg.lapack.dpotri(factor, lower=1)
            inverse = np.tril(inverse) + np.tril(inverse, -1).T
            return inverse * np.outer(scale, scale)
        ridge *= 10.0
    raise np.linalg.LinAlgError("the normal matrix is not positive")


class CrossValidation:
    """Errors on left-out blocks of the structures within one design.

    target: the moments' column of the time derivative that the equation is of.
    """

    def __init__(self, moments: Moments, target: int, design: Design) -> None:
        self.design = design
        self._clean, self._target = moments.clean, target
        self._rows = moments.rows
        n_folds = min(MAX_FOLDS, len(moments.rows))
        self._fold = np.arange(len(moments.rows)) % n_folds
        self._folds = [normal_of(self._clean[self._fold == f].sum(axis=0), target, design) for f in range(n_folds)]

    @cached_property
    def total(self) -> Normal:
        """The normal equations of all data."""
        return Normal(sum(f.matrix for f in self._folds), sum(f.side for f in self._folds))

    def errors(self, kept: Bool[np.ndarray, " unknown"]) -> Float64[np.ndarray, " block"]:
        """Mean square residual of each block, beyond its noise, under the coefficients of the other folds' data."""
        return self._prepared(kept)[0]

    def errors_of(self, unknowns: Float64[np.ndarray, "unknown parameter"]) -> Float64[np.ndarray, " block"]:
        """The same where all unknowns are linear functions of a few parameters."""
        errors = np.empty(len(self._rows))
        everything = np.ones(self.design.n_unknowns, dtype=bool)
        for f, fold in enumerate(self._folds):
            matrix = unknowns.T @ (self.total.matrix - fold.matrix) @ unknowns
            parameters = inverse_of(matrix) @ (unknowns.T @ (self.total.side - fold.side))
            self._test(f, everything, unknowns @ parameters, errors)
        return errors

    def without(
        self, kept: Bool[np.ndarray, " unknown"], groups: Sequence[Bool[np.ndarray, " unknown"]]
    ) -> tuple[Float64[np.ndarray, " block"], list[Float64[np.ndarray, " block"]]]:
        """The errors of the kept unknowns, and those without each group in turn; exact, at the cost of one fit.

        Dropping the group G changes the numbers by -inverse[:, G] inverse[G, G]^-1 numbers[G].
        """
        errors, solved = self._prepared(kept)
        found = []
        for group in groups:
            gone = np.flatnonzero(group[kept])
            without = np.empty_like(errors)
            for f, (inverse, numbers) in enumerate(solved):
                step = inverse[:, gone] @ np.linalg.solve(inverse[np.ix_(gone, gone)], numbers[gone])
                self._test(f, kept, numbers - step, without)
            found.append(without)
        return errors, found

    def _prepared(
        self, kept: Bool[np.ndarray, " unknown"]
    ) -> tuple[Float64[np.ndarray, " block"], list[tuple[np.ndarray, np.ndarray]]]:
        errors = np.empty(len(self._rows))
        solved = []
        for f, fold in enumerate(self._folds):
            matrix = (self.total.matrix - fold.matrix)[np.ix_(kept, kept)]
            inverse = inverse_of(matrix)
            numbers = inverse @ (self.total.side - fold.side)[kept]
            self._test(f, kept, numbers, errors)
            solved.append((inverse, numbers))
        return errors, solved

    def _test(
        self, fold: int, kept: Bool[np.ndarray, " unknown"], numbers: Float64[np.ndarray, " kept"], errors: np.ndarray
    ) -> None:
        """Fill in the errors of the fold's blocks."""
        whole = np.zeros(self.design.n_unknowns)
        whole[kept] = numbers
        blocks = np.flatnonzero(self._fold == fold)
        errors[blocks] = residuals(self._clean[blocks], self._target, self.design, whole) / self._rows[blocks]


def residuals(
    sums: Float64[np.ndarray, "block column column_ point"],
    target: int,
    design: Design,
    numbers: Float64[np.ndarray, " unknown"],
) -> Float64[np.ndarray, " block"]:
    """Sum of squares of the residual in each block."""
    signed = -design.fields(numbers, sums.shape[1])
    signed[target] = 1.0
    used = np.append(np.unique(design.column), target)
    part, signed = sums[:, used][:, :, used], signed[used]
    return np.einsum("bklp,kp,lp->b", part, signed, signed, optimize=True)
