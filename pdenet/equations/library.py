"""The candidate terms of an equation: products of the variables and their derivatives up to a degree and an order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement

import torch
from torch import Tensor

from pdenet.equations.terms import Factor, Term


def derivatives(names: Sequence[str], axes: Sequence[str], order: int) -> tuple[Factor, ...]:
    """Every variable with every derivative of at most `order`, lower orders first."""
    letters = sorted(axes)
    return tuple(
        Factor(name, "".join(word))
        for n in range(order + 1)
        for name in names
        for word in combinations_with_replacement(letters, n)
    )


def candidate_terms(names: Sequence[str], axes: Sequence[str], *, order: int, degree: int) -> tuple[Term, ...]:
    """Every product of at most `degree` factors whose derivative orders add up to at most `order`.

    The bound on the sum is what a change of scale in space respects: u*u_xx and u_x**2 stand or fall together,
    while u_xx**2 is of order 4. The constant 1 comes first.
    """
    factors = derivatives(names, axes, order)
    terms = [
        Term.product(choice)
        for n in range(degree + 1)
        for choice in combinations_with_replacement(factors, n)
        if sum(factor.order for factor in choice) <= order
    ]
    return tuple(sorted(terms, key=lambda term: (term.order, term.degree)))


def evaluate_term(term: Term, factors: Mapping[Factor, Tensor]) -> Tensor:
    """The product of the factors' values; the constant has the shape of any of them."""
    if not term.powers:
        return torch.ones_like(next(iter(factors.values())))
    return math.prod((factors[factor] for factor in term.factors[1:]), start=factors[term.factors[0]])
