"""Collocation operators against closed forms: exact on the functions they are built for."""

from __future__ import annotations

import numpy as np
import pytest

from pdenet.discovery.collocation import PeriodicAxis, TimeWindow, space_operators
from pdenet.fields.field import Field

ROUNDING = 1e-11  # a few hundred float64 operations on numbers of size one to a hundred


@pytest.mark.parametrize(("width", "degree"), [(4, 2), (7, 4), (10, 8), (21, 10)])
def test_window_is_exact_on_polynomials_of_its_degree(width: int, degree: int) -> None:
    dt = 0.1
    value, slope = TimeWindow(width, degree).operators(dt)
    nodes = np.polynomial.legendre.leggauss(degree)[0] * (width - 1) * dt / 2
    t = (np.arange(width) - (width - 1) / 2) * dt
    polynomial = np.polynomial.Polynomial(np.arange(1.0, degree + 2))
    assert value.shape == slope.shape == (degree, width)
    np.testing.assert_allclose(value @ polynomial(t), polynomial(nodes), rtol=ROUNDING)
    np.testing.assert_allclose(slope @ polynomial(t), polynomial.deriv()(nodes), rtol=ROUNDING)


def test_windows_cover_the_run_and_end_with_it() -> None:
    assert TimeWindow(5, 3).starts(13) == [0, 4, 8]
    assert TimeWindow(5, 3).starts(15) == [0, 4, 8, 10]
    assert TimeWindow(5, 3).starts(5) == [0]


@pytest.mark.parametrize("order", range(5))
def test_periodic_derivative_is_exact_below_the_cutoff_and_blind_above(order: int) -> None:
    length, n = 3.0, 16
    axis = PeriodicAxis(n, length, cutoff=6, tested=5, n_products=24)
    x, fine = length * np.arange(n) / n, length * np.arange(24) / 24
    k = 2 * np.pi * 5 / length
    shifted = np.sin(k * fine + 0.3 + order * np.pi / 2) * k**order
    tolerance = ROUNDING * k**order
    np.testing.assert_allclose(axis.derivative(order) @ np.sin(k * x + 0.3), shifted, atol=tolerance)
    too_fast = np.cos(2 * np.pi * 7 / length * x)
    np.testing.assert_allclose(axis.derivative(order) @ too_fast, 0.0, atol=tolerance)


def test_test_functions_keep_the_variance_of_white_noise() -> None:
    axis = PeriodicAxis(32, 1.0, cutoff=10, tested=8, n_products=30)
    noise = np.random.default_rng(0).standard_normal((32, 20_000))
    modes = axis.test() @ axis.derivative(0) @ noise
    assert len(axis.wave_numbers) == len(modes) == 17
    # 20 000 draws know a variance to 1 %; five standard errors
    np.testing.assert_allclose(modes.var(axis=1), 1.0, atol=0.05)


def test_products_do_not_fold_back_onto_tested_modes() -> None:
    n = 24
    field = Field(values=np.zeros((1, 4, 1, n)), dt=1.0, dx=(1.0 / n,), names=("u",), boundary=("periodic",))
    (axis,) = space_operators(field, cutoffs=(11,), max_order=2, degree=3)
    assert isinstance(axis, PeriodicAxis)
    x = np.arange(n) / n
    cube = (axis.derivative(0) @ np.cos(2 * np.pi * 11 * x)) ** 3
    # cos^3 = (3 cos + cos of three times the wave number) / 4, and neither wave number, 11 nor 33, is tested
    np.testing.assert_allclose(axis.test() @ cube, 0.0, atol=ROUNDING)
