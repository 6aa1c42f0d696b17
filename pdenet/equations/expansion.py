"""Expansion of typed expressions to sums of products, by coefficient algebra."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from backbone.errors import UsageError
from pdenet.equations.equation import Equation
from pdenet.equations.syntax import Call, Coordinate, InverseLaplacian, Node, Number, Power, Product, Sum, System
from pdenet.equations.terms import Factor, Term, velocity

Atom = Factor | InverseLaplacian | Coordinate | Power | Call
Monomial = tuple[tuple[Atom, int], ...]  # atoms with their powers, in the order of their text
Expansion = dict[Monomial, float]

MAX_DEGREE = 12
MAX_MONOMIALS = 2_000


def expand(node: Node) -> Expansion:
    """The node as a sum of coefficients times products of atoms; zero coefficients are left out.

    Variables, derivatives and coordinates are atoms, and so is what is no polynomial of them: functions, and
    powers that are not whole numbers from 0 to 12. Raises UsageError for more than 2000 products or a degree
    above 12, and for coefficients beyond the range of a double.
    """
    match node:
        case Number(value):
            result = {(): value}
        case Sum(terms):
            result = _added([expand(term) for term in terms])
        case Product(factors):
            result = {(): 1.0}
            for factor in factors:
                result = _multiplied(result, expand(factor))
        case Power(base, exponent) if exponent.is_integer() and 0 <= exponent <= MAX_DEGREE:
            result, factor_ = {(): 1.0}, expand(base)
            for _ in range(int(exponent)):
                result = _multiplied(result, factor_)
        case _:
            result = {((node, 1),): 1.0}
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient != 0.0}


def _added(polynomials: list[Expansion]) -> Expansion:
    total: Expansion = {}
    for polynomial in polynomials:
        for monomial, coefficient in polynomial.items():
            total[monomial] = total.get(monomial, 0.0) + coefficient
    return _checked(total)


def _multiplied(left: Expansion, right: Expansion) -> Expansion:
    _demand_size(len(left) * len(right))
    total: Expansion = {}
    for a, p in left.items():
        for b, q in right.items():
            monomial = _product(a, b)
            total[monomial] = total.get(monomial, 0.0) + p * q
    return _checked(total)


def _product(a: Monomial, b: Monomial) -> Monomial:
    counts = Counter(dict(a))
    counts.update(dict(b))
    if sum(counts.values()) > MAX_DEGREE:
        raise UsageError(f"a product of more than {MAX_DEGREE} factors", where="the equation", cure="lower the powers")
    return tuple(sorted(counts.items(), key=lambda item: repr(item[0])))  # one order in every process


def _checked(polynomial: Expansion) -> Expansion:
    _demand_size(len(polynomial))
    if not all(map(math.isfinite, polynomial.values())):
        raise UsageError("a coefficient overflows", where="the equation", cure="use smaller constants")
    return polynomial


def _demand_size(n: int) -> None:
    if n > MAX_MONOMIALS:
        raise UsageError(
            f"the equation expands to more than {MAX_MONOMIALS} products", where="the equation", cure="shorten it"
        )


def as_terms(polynomial: Expansion) -> dict[Term, float]:
    """The same sum over terms of variables and derivatives; UsageError if it holds anything else."""
    terms: dict[Term, float] = {}
    for monomial, coefficient in polynomial.items():
        for atom, _ in monomial:
            if not isinstance(atom, Factor):
                raise UsageError(
                    "the equation holds more than products of variables and derivatives",
                    where="the equation",
                    cure="write a polynomial: no functions, quotients, coordinates or invlap",
                )
        factors = [atom for atom, power in monomial for _ in range(power) if isinstance(atom, Factor)]
        terms[Term.product(factors)] = coefficient
    return terms


def to_equations(system: System) -> tuple[Equation, ...]:
    """The system as equations of terms, for example the truth to compare a discovered equation with."""
    rows: Mapping[str, dict[Term, float]] = {name: as_terms(expand(node)) for name, node in system.rates.items()}
    known = {name for name in rows if velocity(name) in rows}  # u_t = u_t says nothing
    return tuple(
        Equation.of(name, tuple(terms), tuple(terms.values())) for name, terms in rows.items() if name not in known
    )
