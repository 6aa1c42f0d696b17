"""Ensembles: draws from the covariance, and the spread of forecasts in closed form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backbone.errors import UntrustedResult, UsageError
from pdenet import forecast
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.forecasting.ensemble import draw_equations

Make = Callable[..., Path]
Waves = Callable[..., Field]
SIZE = 60


def test_draws_have_the_covariance_at_any_scale() -> None:
    equations = (Equation.parse("u_t = 1e-06*u_xx - 5.0*u"), Equation.parse("v_t = 300.0*v"))
    scales = np.array([1e-8, 0.1, 30.0])
    correlation = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, -0.5], [0.0, -0.5, 1.0]])
    members = draw_equations(equations, correlation * np.outer(scales, scales), 4000, np.random.default_rng(0))
    rows = np.array([[c for equation in member for c in equation.coefficients] for member in members])
    assert [len(equation.terms) for equation in members[0]] == [2, 1]
    # five standard errors of means and correlations of 4000 draws
    np.testing.assert_allclose((rows.mean(axis=0) - [1e-6, -5.0, 300.0]) / scales, 0.0, atol=5 / np.sqrt(4000))
    np.testing.assert_allclose(np.corrcoef(rows.T), correlation, atol=5 / np.sqrt(4000))
    np.testing.assert_allclose(rows.std(axis=0), scales, rtol=5 / np.sqrt(8000))


def test_a_coefficient_without_error_stays() -> None:
    equations = (Equation.parse("u_t = 0.1*u_xx - 5.0*u"),)
    (member,) = draw_equations(equations, np.diag([0.0, 1.0]), 1, np.random.default_rng(0))[0]
    assert member.coefficients[0] == 0.1
    assert member.coefficients[1] != -5.0


def test_the_spread_is_that_of_the_closed_form(make_run: Make, make_waves: Waves) -> None:
    """u = e^(-c t) cos x: its deviation is t e^(-c t) |cos x| sigma for small sigma."""
    sigma, waves = 1e-3, make_waves(n_times=11)
    run = make_run("u_t = 0.1*u_xx", covariance=np.array([[sigma**2]]))
    found = forecast(run, init=waves, t_end=1.0, ensemble=SIZE)
    assert found.ensemble is not None
    assert (found.ensemble.size, found.ensemble.lost, found.notes) == (SIZE, 0, ())
    expected = sigma * waves.times()[:, None] * np.abs(waves.values[:, :, 0])
    # five standard errors of a standard deviation from 60 draws
    np.testing.assert_allclose(found.ensemble.spread.values[:, :, 0], expected, rtol=5 / np.sqrt(2 * SIZE), atol=1e-9)
    curve = found.curves["spread of the ensemble"]
    np.testing.assert_allclose(
        curve, np.sqrt(np.mean(found.ensemble.spread.values**2, axis=(0, 2, 3))) / waves.values.std()
    )


def test_the_seed_decides_the_draws(make_run: Make, make_waves: Waves) -> None:
    run = make_run("u_t = 0.1*u_xx", covariance=np.array([[1e-6]]))
    spreads = [forecast(run, make_waves(), t_end=0.6, ensemble=2, seed=seed).ensemble for seed in (0, 0, 1)]
    first, again, other = (found.spread.values for found in spreads if found is not None)
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(other, first)


def test_runs_without_a_covariance_use_their_standard_errors_and_say_so(make_run: Make, make_waves: Waves) -> None:
    measured = Equation("u_t", Equation.parse("u_t = 0.1*u_xx").terms, (0.1,), (1e-3,))
    found = forecast(make_run("u_t = 0.1*u_xx", equations=(measured,)), make_waves(), t_end=0.6, ensemble=2)
    assert found.notes == ("the run holds standard errors but no covariance: coefficients are drawn independently",)
    with pytest.raises(UsageError, match="came without standard errors"):
        forecast(make_run("u_t = 0.1*u_xx"), make_waves(), t_end=0.6, ensemble=2)


def test_members_that_blow_up_are_left_out_and_counted(make_run: Make, make_waves: Waves) -> None:
    """Half the draws of a viscosity of 0.1 +- 0.1 are below a tenth, one in six is negative: ill-posed."""
    run = make_run("u_t = 0.1*u_xx", covariance=np.array([[0.01]]))
    found = forecast(run, make_waves(), t_end=0.6, ensemble=60)
    assert found.ensemble is not None
    assert 1 <= found.ensemble.lost <= 20  # of 60 with a chance of .16: 10 +- 3
    assert found.notes == (f"{found.ensemble.lost} of 60 members of the ensemble blow up and are left out",)
    hopeless = make_run("u_t = 0.001*u_xx", covariance=np.array([[1e4]]))
    with pytest.raises(UntrustedResult, match="members of the ensemble blow up"):
        forecast(hopeless, make_waves(), t_end=0.6, ensemble=2, seed=3)
