"""Equations of a real and an imaginary part joined to one of a complex variable, where its phase has no meaning.

With psi = psiRe + i psiIm, every factor is (psi + psi*)/2 or (psi - psi*)/2i, and psiRe_t + i psiIm_t is a polynomial
of psi, psi* and their derivatives. If psi -> exp(i a) psi changes nothing, each product holds one psi more than psi*:
what else there is must be no more than the errors of the coefficients.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from pdenet.equations.equation import Equation, rounded, scaled, signed_sum
from pdenet.equations.terms import Factor, is_velocity, rate, velocity

N_ERRORS = 4.0  # standard errors within which a number is taken for zero
ROUNDING = 1e-9  # share of the largest coefficient that is as good as none

Symbol = tuple[Factor, bool]  # a variable or derivative, and whether it is conjugated
Product = tuple[Symbol, ...]
Sizes = dict[Product, tuple[complex, float]]  # coefficient and the square of its standard error


def complex_equations(equations: Sequence[Equation], digits: int | None = 4) -> list[str]:
    """`psi_t = 0.5*i*psi_xx + i*|psi|**2*psi` for every pair psiRe, psiIm whose phase has no meaning."""
    by_name = {equation.variable: equation for equation in equations}
    lines = []
    for name in by_name:
        measured = Factor(name).measured
        stem = measured.removesuffix("Re")
        partner = f"{stem}Im" if not is_velocity(name) else velocity(f"{stem}Im")
        if measured != f"{stem}Re" or partner not in by_name:
            continue
        left = velocity(stem) if is_velocity(name) else stem
        joined = _symmetric(_joined(by_name[name], by_name[partner], stem), stem)
        if joined:
            lines.append(f"{rate(left)} = {_text(joined, digits)}")
    return lines


def _joined(real: Equation, imaginary: Equation, stem: str) -> Sizes:
    """The sum of real part and i times imaginary part, by product of psi and psi*."""
    total: Sizes = {}
    for equation, unit in ((real, 1.0 + 0j), (imaginary, 1j)):
        errors = equation.errors or (0.0,) * len(equation.terms)
        for term, coefficient, error in zip(equation.terms, equation.coefficients, errors, strict=True):
            for product, share in _expanded(term.factors, stem).items():
                value, variance = total.get(product, (0j, 0.0))
                total[product] = value + unit * share * coefficient, variance + abs(share) ** 2 * error**2
    return total


def _expanded(factors: Sequence[Factor], stem: str) -> Mapping[Product, complex]:
    """A product of real and imaginary parts as a sum of products of psi and psi*."""
    total: dict[Product, complex] = {(): 1.0 + 0j}
    for factor in factors:
        grown: dict[Product, complex] = {}
        for product, coefficient in total.items():
            for symbol, share in _parts(factor, stem):
                key = tuple(sorted((*product, symbol)))
                grown[key] = grown.get(key, 0j) + coefficient * share
        total = grown
    return total


def _parts(factor: Factor, stem: str) -> list[tuple[Symbol, complex]]:
    """The factor by psi and psi*; itself if it is no part of a complex variable."""
    name, suffix = factor.measured[:-2], factor.measured[-2:]
    if name != stem or suffix not in ("Re", "Im"):
        return [((factor, False), 1.0 + 0j)]
    whole = Factor(velocity(name) if is_velocity(factor.variable) else name, factor.derivative)
    if suffix == "Re":
        return [((whole, False), 0.5 + 0j), ((whole, True), 0.5 + 0j)]
    return [((whole, False), -0.5j), ((whole, True), 0.5j)]


def _symmetric(sizes: Sizes, stem: str) -> dict[Product, complex]:
    """The products that hold one psi more than psi*, if all others vanish within their errors; else none."""
    least = ROUNDING * max((abs(value) for value, _ in sizes.values()), default=0.0)
    kept: dict[Product, complex] = {}
    for product, (value, variance) in sizes.items():
        allowed = N_ERRORS * math.sqrt(variance) + least
        clean = complex(*(part if abs(part) > allowed else 0.0 for part in (value.real, value.imag)))
        if clean and _charge(product, stem) != 1:
            return {}
        if clean:
            kept[product] = clean
    return kept


def _charge(product: Product, stem: str) -> int:
    """How many psi more than psi* there are; real variables do not count."""
    return sum(-1 if is_conjugate else 1 for factor, is_conjugate in product if factor.measured == stem)


def _text(products: Mapping[Product, complex], digits: int | None) -> str:
    pieces = []
    for product, value in sorted(products.items(), key=lambda entry: (_order(entry[0]), str(entry[0]))):
        negative = value.real < 0 or (value.real == 0 and value.imag < 0)
        number, unit = _number(-value if negative else value, digits)
        pieces.append((negative, scaled(number, [*unit, *_factors(product)])))
    return signed_sum(pieces)


def _order(product: Product) -> int:
    return sum(factor.order for factor, _ in product)


def _number(value: complex, digits: int | None) -> tuple[str, list[str]]:
    """The digits, and `i` if they are of an imaginary number."""
    if value.imag == 0.0:
        return rounded(value.real, digits), []
    if value.real == 0.0:
        return rounded(value.imag, digits), ["i"]
    sign = "-" if value.imag < 0 else "+"
    return f"({rounded(value.real, digits)} {sign} {rounded(abs(value.imag), digits)}*i)", []


def _factors(product: Product) -> list[str]:
    """`|psi|**2`, `psi_x`, `conj(psi_x)`: each conjugate is paired with its like as far as there are any."""
    plain = Counter(factor for factor, is_conjugate in product if not is_conjugate)
    conjugate = Counter(factor for factor, is_conjugate in product if is_conjugate)
    pairs = plain & conjugate
    words = [f"|{factor}|**{2 * n}" for factor, n in sorted(pairs.items())]
    for rest, form in ((plain - pairs, "{}"), (conjugate - pairs, "conj({})")):
        words += [form.format(factor) + (f"**{n}" if n > 1 else "") for factor, n in sorted(rest.items())]
    return words
