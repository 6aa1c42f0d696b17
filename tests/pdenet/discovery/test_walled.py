"""Axes with walls or gaps: stencils, waves that fade out, and what the stencils themselves leave."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from backbone.errors import InputError
from pdenet.discovery.collocation import Collocation, TimeWindow, space_operators
from pdenet.discovery.discover import discover
from pdenet.discovery.fading import Fading
from pdenet.discovery.groups import Groups
from pdenet.discovery.unavoidable import stencil_residual
from pdenet.discovery.walled import WalledAxis
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

CPU = torch.device("cpu")


@pytest.mark.parametrize("order", range(5))
def test_the_derivative_is_exact_on_polynomials(order: int) -> None:
    axis = WalledAxis(20, 0.1, max_order=order, tested=0)
    x = 0.1 * np.arange(20)
    polynomial = np.polynomial.Polynomial([1.0, -2.0, 0.5, 1.0, -0.3, 0.2])
    inner = slice(axis.margin, -axis.margin)
    expected = polynomial.deriv(order)(x)[inner] if order else polynomial(x)[inner]
    # rounding of the values, magnified by dx^-order
    np.testing.assert_allclose(axis.derivative(order) @ polynomial(x), expected, atol=1e-12 * 10.0**order)


def test_more_accurate_stencils_stand_at_the_same_points() -> None:
    plain = WalledAxis(40, 0.1, max_order=2, tested=3, spare=1)
    finer = replace(plain, accuracy=8, spare=0)
    assert (plain.margin, plain.n_inner) == (finer.margin, finer.n_inner)
    wave = np.sin(3.0 * 0.1 * np.arange(40))
    expected = -9.0 * wave[plain.margin : -plain.margin]
    errors = [np.abs(axis.derivative(2) @ wave - expected).max() for axis in (plain, finer)]
    assert errors[1] < 0.1 * errors[0]  # one factor (k dx)^2 = .09, and the constant is smaller too


def test_waves_fade_and_average_the_noise_that_derivatives_magnify() -> None:
    sharp = WalledAxis(128, 0.05, max_order=2, tested=4)
    gentle = replace(sharp, fade=4)
    weights = gentle.fading()
    assert weights.max() == pytest.approx(1.0)
    assert weights[0] < 1e-2
    assert np.all(np.diff(weights[:40]) >= -1e-12)
    noise = {
        axis.fade: np.linalg.norm((axis.test() * axis.fading()) @ axis.derivative(2), axis=1)
        for axis in (sharp, gentle)
    }
    # at the walls the sharp cosines keep the strong form's noise, about 2 / dx^2 = 800 from 2 of 120 points
    assert np.all(noise[0][1::2] > 50.0)
    # the gentle ones rise over 25 points, 1.25: w'' is of size (pi / 1.25)^2 = 6, phi_k'' at most (2 pi 4 / 6)^2 = 18
    assert np.all(noise[4] < 25.0)


def test_weights_vanish_before_a_stencil_meets_a_gap() -> None:
    axes = (WalledAxis(60, 0.1, max_order=2, tested=5, fade=1), WalledAxis(40, 0.1, max_order=2, tested=5, fade=1))
    missing = torch.zeros((2, 60, 40), dtype=torch.bool)
    missing[1, 30, 20] = True
    whole, broken = Fading(axes, CPU).of(missing)
    expected = np.outer(axes[0].fading(), axes[1].fading())
    np.testing.assert_allclose(whole.numpy(), expected, atol=1e-12)
    margin = axes[0].margin
    near = broken[30 - 2 * margin : 31, 20 - 2 * margin : 21]
    assert float(near.abs().max()) < 1e-12
    assert float(broken.max()) == pytest.approx(1.0)


def test_too_few_points_between_walls() -> None:
    thin = Field(values=np.zeros((1, 4, 1, 7)), dt=1.0, dx=(1.0,), names=("u",), boundary=("none",))
    with pytest.raises(InputError, match="7 points between walls"):
        space_operators(thin, cutoffs=(3,), max_order=2, degree=2)


def test_what_stencils_leave_of_a_true_equation(heat: Field) -> None:
    walled = replace(heat, boundary=("none",))
    axes = space_operators(walled, cutoffs=(11,), max_order=2, degree=1)
    collocation = Collocation(TimeWindow(5, 3), axes)
    groups = Groups.of(walled, collocation, 2)
    equation = Equation.parse("u_t = 0.1*u_xx")
    power = stencil_residual(walled, equation, collocation, groups, device=CPU)
    # sixth order: 2/7! * 36 ... of u^(8) dx^6, which is 2 % of u_xx for the fastest of four waves, k dx = 1.05
    slopes = np.diff(heat.values, axis=1) / heat.dt
    share = np.sqrt(power.mean() / np.mean(slopes**2))
    assert 1e-4 < share < 0.05


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_noisy_data_with_walls_or_gaps(noise: float) -> None:
    from pdenet.simulation.experiment import simulate

    whole = simulate("burgers", noise=noise, seed=1)
    gaps = whole.values.copy()
    generator = np.random.default_rng(0)
    while np.isnan(gaps).mean() < 0.02:
        run, time, place = (int(generator.integers(n)) for n in (whole.n_runs, whole.n_times, whole.space_shape[0]))
        gaps[run, time : time + 3, :, place : place + 4] = np.nan
    for field in (replace(whole, boundary=("none",)), replace(whole, values=gaps)):
        (equation,) = discover(field, device=CPU, order=2, degree=2).equations
        found = {str(term): c for term, c in zip(equation.terms, equation.coefficients, strict=True)}
        # errors of the products by noise, which no average removes; seen are 1 to 3 %
        assert found == pytest.approx({"u*u_x": -1.0, "u_xx": 0.1}, rel=0.05)
