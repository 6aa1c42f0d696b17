"""The parts of the search for fields: bases, test functions, moments, left-out errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbone.errors import InputError
from pdenet.discovery.collocation import PeriodicAxis
from pdenet.discovery.varying.basis import FourierBasis, LegendreBasis
from pdenet.discovery.varying.columns import Columns, Curve
from pdenet.discovery.varying.crossvalidation import CrossValidation, residuals
from pdenet.discovery.varying.design import Structure, make_design
from pdenet.discovery.varying.moments import Gathering, Moments
from pdenet.discovery.varying.structure import worth
from pdenet.discovery.varying.weak_time import WeakWindow, choose_window
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

CPU = torch.device("cpu")


def one_axis_field(values: np.ndarray) -> Field:
    return Field(values=values, dt=0.1, dx=(2 * np.pi / values.shape[-1],), names=("u",), boundary=("periodic",))


@pytest.mark.parametrize("basis", [FourierBasis("x", 0.0, 3.0), LegendreBasis("x", -1.0, 3.0)])
def test_functions_of_an_axis_are_orthonormal(basis):
    at = basis.start + (np.arange(3000) + 0.5) / 1000
    values = basis.values(at, 4)
    # the midpoint rule on 3000 points errs by about 1e-6 on polynomials of degree 8
    np.testing.assert_allclose(values.T @ values / len(at), np.eye(basis.size(4)), atol=2e-5)


def test_levels_and_formulas():
    fourier, legendre = FourierBasis("y", 0.0, np.pi), LegendreBasis("t", 1.0, 2.0)
    assert fourier.levels(np.arange(5)).tolist() == [0, 1, 1, 2, 2]
    assert fourier.formula(4) == (np.sqrt(2.0), "sin(4*y)")
    assert legendre.formula(0) == (1.0, "")
    scale, text = legendre.formula(1)
    assert (scale, text) == (np.sqrt(3.0), "(1.0*(1.0*(t - 1.0) - 1)**1)")


def test_the_weak_form_holds_exponentially_well():
    """sum psi u_t = sum -psi' u for u = sin 2t, which turns by 0.2 a snapshot."""
    psi, slope = WeakWindow(width=15, power=5).weights(0.1)
    t = 0.1 * np.arange(15)
    # aliasing of (1-s^2)^5 at the sampling frequency, about 1e-5 of the sum
    assert slope @ np.sin(2 * t) == pytest.approx(psi @ (2 * np.cos(2 * t)), rel=1e-4)


def test_windows_reach_the_last_snapshot():
    assert WeakWindow(width=12, power=3).starts(17) == [0, 2, 4, 5]


def test_too_few_snapshots_are_refused():
    field = one_axis_field(np.zeros((2, 4, 1, 16)))
    axes = (PeriodicAxis(16, 2 * np.pi, 5, 5, 16),)
    with pytest.raises(InputError, match="at least 5"):
        choose_window(field, np.zeros((2, 1)), axes)


def test_moments_are_sums_of_products_of_columns():
    generator = np.random.default_rng(0)
    field = one_axis_field(generator.standard_normal((2, 6, 1, 8)))
    terms = (Term.parse("u"), Term.parse("u**2"))
    axes = (PeriodicAxis(8, 2 * np.pi, 4, 3, 8),)  # all waves: the data as they are
    columns = Columns(field, terms, Curve("u", -5.0, 5.0, 1), ("u",), axes, CPU)
    functions = WeakWindow(width=6, power=2)
    moments = Gathering(field, columns, functions, ("x",), CPU).gather(np.zeros((2, 1)), generator=generator)
    psi, slope = functions.weights(0.1)
    for place in (0, 5):
        expected = np.zeros((5, 5))
        for run in range(2):
            u = field.values[run, :, 0, place]
            row = np.array([psi @ u, psi @ u**2, psi.sum(), np.sqrt(3.0) * psi @ u / 5.0, slope @ u])
            expected += np.outer(row, row)
        np.testing.assert_allclose(moments.raw.sum(axis=0)[:, :, place], expected, rtol=1e-10, atol=1e-10)
    assert not moments.noise.any()


def random_moments(n_blocks: int = 10) -> Moments:
    """Two terms and a target on 24 points, as if of many rows."""
    generator = np.random.default_rng(1)
    x = 2 * np.pi * np.arange(24) / 24
    rows = generator.standard_normal((n_blocks, 2, 24, 30))
    target = (1 + np.cos(x))[:, None] * rows[:, 0] + 0.1 * generator.standard_normal(rows[:, 0].shape)
    columns = np.concatenate([rows, target[:, None]], axis=1)
    raw = np.einsum("bkpr,blpr->bklp", columns, columns)
    return Moments(raw, np.zeros_like(raw), np.full(n_blocks, 24 * 30), {"x": x})


def test_leaving_out_a_group_equals_fitting_without_it():
    moments = random_moments()
    design = make_design(Structure({0: (2,), 1: (1,)}), [FourierBasis("x", 0.0, 2 * np.pi)], moments.coordinates, 2)
    cv = CrossValidation(moments, 2, design)
    everything = np.ones(design.n_unknowns, dtype=bool)
    group = design.term == 1
    _, (quick,) = cv.without(everything, [group])
    # both are exact: only rounding differs
    np.testing.assert_allclose(quick, cv.errors(~group), rtol=1e-9)
    np.testing.assert_allclose(quick, cv.errors_of(np.eye(design.n_unknowns)[:, ~group]), rtol=1e-9)


def test_residuals_are_those_of_the_rows():
    moments = random_moments()
    design = make_design(Structure({0: (1,)}), [FourierBasis("x", 0.0, 2 * np.pi)], moments.coordinates, 2)
    numbers = np.array([1.0, np.sqrt(0.5), 0.0])  # 1 + cos x
    left = residuals(moments.raw, 2, design, numbers) / moments.rows
    # variance 0.01 of the residuals, from 720 values a block: 5 % of chance, four times that allowed
    np.testing.assert_allclose(left, 0.01, rtol=0.2)


def test_a_block_unlike_all_others_does_not_decide():
    simple, rich = np.full(8, 1.0) + 0.01 * np.arange(8), np.full(8, 0.1)
    simple[3] = 1e6
    assert worth(simple, rich)
    assert not worth(rich, rich.copy())
