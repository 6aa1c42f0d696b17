from __future__ import annotations

import numpy as np
import pytest
import sympy  # noqa: TID253 - the outside oracle

from backbone.errors import ResourceError
from pdenet.network.polynomial import Polynomial, affine, multiply


def random_polynomial(seed: int, n_variables: int, n_terms: int = 30, degree: int = 3) -> Polynomial:
    generator = np.random.default_rng(seed)
    exponents = np.unique(generator.integers(0, degree + 1, (n_terms, n_variables)), axis=0)
    return Polynomial(exponents, generator.standard_normal(len(exponents)) * 10.0 ** -generator.uniform(0, 4))


def as_sympy(p: Polynomial, symbols: tuple[sympy.Symbol, ...]) -> sympy.Poly:
    terms = {tuple(map(int, row)): float(c) for row, c in zip(p.exponents, p.coefficients, strict=True)}
    return sympy.Poly(terms, *symbols)


def test_products_are_those_of_computer_algebra() -> None:
    symbols = sympy.symbols("a b c")
    p, q = random_polynomial(0, 3), random_polynomial(1, 3)
    expected = as_sympy(p, symbols) * as_sympy(q, symbols)
    found = as_sympy(multiply(p, q, 0.0), symbols)
    difference = max(map(abs, (found - expected).coeffs()), default=0)
    assert difference < 1e-14  # sums of fewer than 30 products of size below 1
    assert len(multiply(p, q, 0.0)) == len(expected.terms())


@pytest.mark.parametrize("n_variables", [1, 4, 40])  # 40 variables do not fit into one word of a key
def test_products_have_the_product_of_the_values(n_variables: int) -> None:
    p, q = random_polynomial(2, n_variables, 60), random_polynomial(3, n_variables, 60)
    x = np.random.default_rng(4).uniform(-1, 1, (n_variables, 50))
    product = multiply(p, q, 0.0)
    assert product.dropped == 0.0
    # sums of 3600 products of size below 1
    np.testing.assert_allclose(product(x), p(x) * q(x), rtol=0, atol=1e-12)
    assert len(np.unique(product.exponents, axis=0)) == len(product)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-2, 10.0])
def test_what_a_tolerance_drops_is_bounded(tolerance: float) -> None:
    p, q = random_polynomial(5, 3), random_polynomial(6, 3)
    rough_p = affine([0.0] * 3 + [1.0], 0.0, [p], 3, tolerance)
    rough = multiply(rough_p, q, tolerance)
    exact = multiply(p, q, 0.0)
    assert len(rough) < len(exact)
    corners = np.random.default_rng(7).choice([-1.0, 1.0], (3, 200))
    error = np.abs(rough(corners) - exact(corners)).max()
    assert 0 < error <= rough.dropped
    if len(rough):
        assert np.abs(rough.coefficients).min() >= tolerance


def test_affine_collects_equal_monomials_and_forgets_zeros() -> None:
    p = Polynomial(np.array([[0, 0], [1, 0], [0, 2]]), np.array([1.0, 2.0, 3.0]), 0.5)
    found = affine([-4.0, 0.0, 2.0], 5.0, [p], 2, 0.0)
    terms = {tuple(row): c for row, c in zip(found.exponents.tolist(), found.coefficients, strict=True)}
    assert terms == {(0, 0): 7.0, (0, 2): 6.0}
    assert found.dropped == 1.0  # the weight times what p had dropped


def test_too_many_terms_are_refused_with_the_cure() -> None:
    generator = np.random.default_rng(8)
    exponents = np.unique(generator.integers(0, 12, (6000, 6)), axis=0)
    p = Polynomial(exponents, generator.standard_normal(len(exponents)))
    with pytest.raises(ResourceError, match="products of terms") as failure:
        multiply(p, p, 0.0)
    assert "tolerance 1e-09" in failure.value.cure
