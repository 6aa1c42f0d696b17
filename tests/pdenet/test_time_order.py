"""The order in time of an equation: chosen by the data, forecast, exported, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import pdenet
from backbone.errors import InputError, UsageError
from pdenet.discovery.identifiability import CannotTell
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.forecasting.forecast import forecast
from pdenet.learned.record import Learned
from pdenet.report import result_lines, summary


@pytest.fixture(scope="module")
def waves() -> Field:
    """u alone of a damped wave."""
    return pdenet.simulate("u_tt = u_xx - 0.4*u_t", grid=64, runs=2, t_end=2.0, save_every=0.025, seed=1)


@pytest.fixture(scope="module")
def fitted(waves: Field) -> pdenet.PDENet:
    return pdenet.PDENet().fit(waves)


def test_the_data_choose_the_second_order(fitted: pdenet.PDENet, waves: Field) -> None:
    assert fitted.equation_ == "u_tt = -0.4*u_t + u_xx"
    (line,) = (line for line in result_lines(fitted, waves) if line.startswith("order in time"))
    assert line.startswith("order in time: 2 (")
    assert "of u_t unexplained; " in line
    assert summary(fitted, waves)["time_order"]["order"] == 2


def test_the_first_order_stays_where_it_explains() -> None:
    field = pdenet.simulate("u_t = 0.1*u_xx", grid=64, runs=2, t_end=0.4)
    model = pdenet.PDENet().fit(field)
    assert model.equation_ == "u_t = 0.1*u_xx"
    assert model.discovery_ is not None
    assert model.discovery_.time_order == ""


def test_a_forecast_starts_with_estimated_velocities(fitted: pdenet.PDENet, waves: Field) -> None:
    start = waves.select(times=slice(0, 41))
    told = fitted.predict(start, 40)
    assert told.names == ("u",)
    np.testing.assert_allclose(told.values, waves.values[:, 41:], atol=1e-5)  # slopes at the end of 41 snapshots
    assert fitted.score(waves) == pytest.approx(1.0, abs=1e-8)  # the square of that error
    run = forecast(fitted, start, compare=waves)
    assert run.field.names == ("u",)
    assert run.horizons["equation"] is None


def test_one_snapshot_is_no_start(fitted: pdenet.PDENet, waves: Field) -> None:
    with pytest.raises(InputError, match="how fast it moves"):
        forecast(fitted, init=waves.select(times=slice(0, 1)), t_end=1.0)


def test_what_is_printed_is_what_is_forecast(fitted: pdenet.PDENet, waves: Field) -> None:
    """The record, read again from its text at full digits, gives the same forecast."""
    record = Learned.from_dict(fitted.learned_.as_dict())
    assert record.measured == ("u",)
    assert record.time_order == 2
    again = Equation.parse(fitted.equations_[0].to_text(digits=None))
    assert (again.terms, again.coefficients) == (record.equations[0].terms, record.equations[0].coefficients)


def test_measured_velocities_make_a_system_of_first_order() -> None:
    field = pdenet.simulate("u_t = w; w_t = u_xx - 0.4*w", grid=64, runs=2, t_end=2.0, save_every=0.025, seed=1)
    assert pdenet.PDENet().fit(field).equation_.splitlines() == ["u_t = w", "w_t = -0.4*w + u_xx"]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"time_order": "3"}, "no order in time"),
        ({"time_order": "2", "recipe": "paper"}, "first derivatives in time only"),
        ({"time_order": "2", "terms": "u_t: u_xx"}, "no equation here; there are u_tt"),
        ({"time_order": "1", "fix": "u_tt: u_xx=1"}, "no equation here; there are u_t"),
        ({"fix": "u_ttt: u_xx=1"}, "no equation here; there are u_t"),
    ],
)
def test_words_without_a_meaning(waves: Field, options: dict[str, str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        pdenet.PDENet(**options).check(waves)


def test_words_that_name_the_second_order_ask_for_it(waves: Field) -> None:
    asked = pdenet.PDENet(fix="u_tt: u_t=-0.4").check(waves)
    assert list(asked) == [2]
    assert pdenet.PDENet(fix="u_tt: u_t=-0.4").fit(waves).equation_ == "u_tt = -0.4*u_t + u_xx"


def test_a_sine_is_no_polynomial() -> None:
    field = pdenet.simulate(
        "u_tt = u_xx - sin(u)",
        grid=64,
        length="4pi",
        runs=4,
        t_end=4.0,
        save_every=0.04,
        init="random:modes=3,amplitude=4",
    )
    model = pdenet.PDENet()
    with pytest.raises(CannotTell, match="no polynomial of degree 3") as caught:
        model.fit(field)
    assert "--terms" in caught.value.cure
    assert model.discovery_ is not None
    assert [doubt.kind for doubt in model.discovery_.doubts] == ["outside the library"]


def test_a_standing_wave_does_not_tell() -> None:
    field = pdenet.simulate("u_tt = u_xx", grid=64, init="sine", t_end=3.0, save_every=0.05)
    with pytest.raises(CannotTell, match="u moves together with u_xx"):
        pdenet.PDENet().fit(field)


def test_too_few_snapshots_are_told(waves: Field) -> None:
    with pytest.raises(InputError, match="2 snapshots"):
        pdenet.PDENet(time_order="2").fit(replace(waves, values=waves.values[:, :2]))
