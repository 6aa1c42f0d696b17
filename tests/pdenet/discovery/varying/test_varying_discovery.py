"""Fields, sources and inputs found again in data of known equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbone.errors import InputError, UsageError
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.varying.discover import VaryingDiscovery, discover_varying
from pdenet.discovery.varying.options import Varying
from pdenet.field_estimator import FieldPDENet
from pdenet.fields.field import Field
from pdenet.simulation.experiment import simulate

TRANSPORT = "u_t = (1 + 0.5*cos(x))*u_x + 0.1*u_xx"


@pytest.fixture(scope="module")
def transported() -> Field:
    """A 1-D transport with a speed of x, clean; 10 runs."""
    return simulate(
        TRANSPORT, grid=48, length="2pi", runs=10, t_end=0.4, save_every=0.02, init="random:modes=5,amplitude=1", seed=3
    )


def noisy(field: Field, level: float, seed: int) -> Field:
    """With noise of a share of the whole spread."""
    noise = level * field.values.std() * np.random.default_rng(seed).standard_normal(field.values.shape)
    return Field(values=field.values + noise, dt=field.dt, dx=field.dx, names=field.names, boundary=field.boundary)


def found(field: Field, options: Varying, **others: Restrictions | int | None) -> VaryingDiscovery:
    return discover_varying(field, options, device=torch.device("cpu"), **others)


@pytest.mark.parametrize(("level", "seed", "tolerance"), [(0.0, 0, 1e-4), (0.01, 1, 0.02), (0.01, 2, 0.02)])
def test_a_speed_of_x_is_found_as_a_formula(transported, level, seed, tolerance):
    """Clean: the trapezoid rule's error. Noisy: five standard errors, .3 % each, at most."""
    (equation,) = found(noisy(transported, level, seed), Varying(("x",))).equations
    by_term = {str(entry.term): entry for entry in equation.coefficients}
    assert set(by_term) == {"u_x", "u_xx"}
    speed = by_term["u_x"]
    true = 1 + 0.5 * np.cos(speed.coordinates["x"])
    assert np.linalg.norm(speed.values - true) / np.linalg.norm(true) < tolerance
    assert speed.axes == ("x",)
    assert by_term["u_xx"].axes == ()
    assert float(by_term["u_xx"].values) == pytest.approx(0.1, rel=max(tolerance, 1e-3))
    assert speed.closed
    assert [text for _, text in speed.series][:2] == ["", "cos(x)"]


def test_bands_hold_the_truth(transported):
    """At 2 % noise; of 48 correlated points at least half lie within 95 % bands at every one of three seeds."""
    for seed in (4, 5, 6):
        (equation,) = found(noisy(transported, 0.02, seed), Varying(("x",)), order=2).equations
        speed = next(entry for entry in equation.coefficients if str(entry.term) == "u_x")
        true = 1 + 0.5 * np.cos(transported.coordinates()["x"])
        assert np.mean(np.abs(speed.values - true) < 1.96 * speed.errors) > 0.5


def test_the_printed_equation_is_the_one_that_forecasts(transported):
    model = FieldPDENet(varying="x", order=2).fit(transported.select(times=slice(0, 16)))
    forecast = model.predict(transported.select(times=slice(0, 16)), 5)
    truth = transported.values[:, 16:]
    # coefficients right to 1e-4 over a tenth of a turn
    assert np.linalg.norm(forecast.values - truth) / np.linalg.norm(truth) < 1e-3


def test_a_coefficient_of_time():
    field = simulate(
        "u_t = (1 + t)*u_x + 0.05*u_xx",
        grid=32,
        length="2pi",
        runs=10,
        t_end=1.0,
        save_every=0.02,
        init="random:modes=3,amplitude=1",
        seed=1,
    )
    (equation,) = found(field, Varying(("t",)), order=2).equations
    (speed,) = [entry for entry in equation.coefficients if str(entry.term) == "u_x"]
    assert speed.axes == ("t",)
    # a test function sees the mean of the speed over its window, right to second order in its width of about .2
    np.testing.assert_allclose(speed.values, 1 + speed.coordinates["t"], rtol=0.01)


def test_a_source_is_found_as_a_curve_with_its_formula():
    field = simulate(
        "u_t = 0.1*u_xx + 3*sin(u)",
        grid=64,
        length="2pi",
        runs=10,
        t_end=0.4,
        save_every=0.02,
        init="random:modes=3,amplitude=4",
        seed=2,
    )
    (equation,) = found(noisy(field, 0.01, 7), Varying(source="u"), order=2).equations
    curve = equation.source
    assert curve is not None
    true = 3 * np.sin(curve.at)
    # the bound for PDE-Net's own source
    assert np.linalg.norm(curve.values - true) / np.linalg.norm(true) < 0.05
    assert curve.closed
    assert "sin(" in equation.to_text()
    assert [str(entry.term) for entry in equation.coefficients] == ["u_xx"]


def test_a_known_input_has_no_equation_and_stands_in_one():
    field = simulate(
        "u_t = 0.1*u_xx + 2*p; p_t = -0.5*p",
        grid=32,
        length="2pi",
        runs=10,
        t_end=0.4,
        save_every=0.02,
        init="random:modes=4,amplitude=1",
        seed=5,
    )
    (equation,) = found(field, Varying(known=("p",)), order=2).equations
    numbers = {str(entry.term): float(entry.values) for entry in equation.coefficients}
    # clean data: the trapezoid rule's error
    assert numbers == pytest.approx({"u_xx": 0.1, "p": 2.0}, rel=1e-3)


def test_a_fixed_source_in_space():
    """u_t = 0.1 u_xx + sin x: the coefficient of 1."""
    field = simulate("u_t = 0.1*u_xx + sin(x)", grid=32, length="2pi", runs=10, t_end=0.4, save_every=0.02, seed=6)
    (equation,) = found(field, Varying(("x",)), order=2).equations
    by_term = {str(entry.term): entry for entry in equation.coefficients}
    assert set(by_term) == {"1", "u_xx"}
    np.testing.assert_allclose(by_term["1"].values, np.sin(field.coordinates()["x"]), atol=1e-3)


def test_walls_and_gaps_leave_points_out(transported):
    values = transported.values.copy()
    values[0, 3, 0, 20] = np.nan
    walled = Field(values=values, dt=0.02, dx=transported.dx, names=("u",), boundary=("none",))
    options = Restrictions.read(("u",), ("x",), terms="u_x, u_xx")
    (equation,) = found(walled, Varying(("x",)), restrictions=options).equations
    speed = next(entry for entry in equation.coefficients if str(entry.term) == "u_x")
    x = speed.coordinates["x"]
    assert len(x) == 48 - 2 * 4
    # sixth-order stencils on waves of up to 5 of 48 points: (5 * 2 pi / 48)^6 / 140 = 5e-4 and their polynomial's fit
    np.testing.assert_allclose(speed.values, 1 + 0.5 * np.cos(x), atol=5e-3)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"varying": "x,y"}, "'y' is not an axis"),
        ({"known": "p"}, "'p' is not a variable"),
        ({"known": "u"}, "no equation is left"),
        ({"source": "v"}, "'v' is not a variable with an equation"),
    ],
)
def test_wrong_words_are_refused_before_any_work(transported, words, match):
    with pytest.raises(UsageError, match=match):
        FieldPDENet(**words).fit(transported)


def test_nothing_can_be_left_out_of_one_window():
    field = simulate(TRANSPORT, grid=32, length="2pi", runs=1, t_end=0.08, save_every=0.02)
    with pytest.raises(InputError, match="nothing to leave out"):
        found(field, Varying(("x",)), order=2)


def test_no_forecast_between_walls(transported):
    model = FieldPDENet(varying="x", order=2).fit(transported)
    walled = Field(values=transported.values, dt=0.02, dx=transported.dx, names=("u",), boundary=("none",))
    with pytest.raises(InputError, match="walls"):
        model.predict(walled, 1)
