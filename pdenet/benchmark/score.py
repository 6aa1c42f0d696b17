"""How far found equations are from the truth: terms found, false terms, errors of the coefficients, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term

NORMAL_95 = 1.96  # standard errors each way that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Score:
    """true: number of true terms; found: those present; false: terms that should not be there.

    max_error, mean_error: percent, over all true terms of all equations; a missing term counts 100.
    """

    true: int
    found: int
    false: int
    max_error: float
    mean_error: float

    @property
    def exact(self) -> bool:
        """Whether the true terms were found and none else."""
        return self.found == self.true and self.false == 0


def score(truth: Sequence[Equation], found: Sequence[Equation]) -> Score:
    """Compare term by term: the error of a true term is 100 * |found - true| / |true|."""
    true, ours = _coefficients(truth), _coefficients(found)
    errors = [100 * abs(ours.get(key, 0.0) - value) / abs(value) for key, value in true.items()]
    return Score(
        true=len(true),
        found=sum(key in ours for key in true),
        false=sum(key not in true for key in ours),
        max_error=max(errors),
        mean_error=sum(errors) / len(errors),
    )


def covered(truth: Sequence[Equation], found: Sequence[Equation]) -> tuple[int, int]:
    """How many true coefficients lie in their 95 % interval, and how many have one: those found with an error."""
    true = _coefficients(truth)
    inside = [
        abs(coefficient - true[equation.lhs, term]) <= NORMAL_95 * error
        for equation in found
        for term, coefficient, error in zip(equation.terms, equation.coefficients, equation.errors, strict=False)
        if (equation.lhs, term) in true
    ]
    return sum(inside), len(inside)


def _coefficients(equations: Sequence[Equation]) -> dict[tuple[str, Term], float]:
    """Coefficients that are not zero, by left side and term."""
    return {
        (equation.lhs, term): coefficient
        for equation in equations
        for term, coefficient in zip(equation.terms, equation.coefficients, strict=True)
        if coefficient != 0
    }
