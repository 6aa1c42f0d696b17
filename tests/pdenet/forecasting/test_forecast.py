"""Forecasts from files and fields: where they start, what they refuse, what they warn of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backbone.errors import Diverged, InputError, ResourceError, UntrustedResult, UsageError
from pdenet import PDENet, forecast, read
from pdenet.fields.field import Field
from pdenet.forecasting.source import Source
from pdenet.simulation import simulate
from pdenet.writers import write_npz

HEAT = "u_t = 0.1*u_xx"
TWO_PI = 2 * np.pi
EXACT = 1e-13  # rounding of the transforms: the heat equation is solved exactly in time
Make = Callable[..., Path]
Waves = Callable[..., Field]


def test_it_goes_on_from_the_last_snapshot_of_data(make_run: Make, make_waves: Waves) -> None:
    found = forecast(make_run(HEAT), make_waves(), t_end=0.8)
    assert found.plan.solvers == ("equation",)
    np.testing.assert_allclose(found.plan.times, [0.5, 0.6, 0.7, 0.8], rtol=1e-15)  # the step of the data
    later = make_waves(n_times=4, t0=0.5)
    np.testing.assert_allclose(found.field.values, later.values, atol=EXACT)
    assert (found.field.t0, found.field.dt) == pytest.approx((0.5, 0.1), rel=1e-12)
    assert not found.curves


def test_it_starts_from_the_first_snapshot_of_a_state_and_is_compared(make_run: Make, make_waves: Waves) -> None:
    whole = make_waves(n_times=9)
    found = forecast(make_run(HEAT), init=whole, compare=whole)
    assert found.plan.times == pytest.approx(whole.times(), rel=1e-12)
    (curve,) = found.curves.values()
    assert curve.max() < EXACT
    assert found.horizons == {"equation": None}


def test_a_wrong_equation_has_the_error_and_the_horizon_of_the_closed_form(make_run: Make, make_waves: Waves) -> None:
    whole = make_waves(n_times=41)
    found = forecast(make_run("u_t = 0.2*u_xx"), init=whole, compare=whole)
    t = whole.times()
    # (e^-.2t - e^-.1t) cos x over the deviation of all snapshots; both runs scale alike
    miss = np.abs(np.exp(-0.2 * t) - np.exp(-0.1 * t)) * np.sqrt((1 + 0.25) / 2 / 2)
    expected = miss / whole.values.std()
    np.testing.assert_allclose(found.curves["error of the equation"], expected, atol=EXACT)
    after = int(np.argmax(expected > 0.1))
    crossing = np.interp(0.1, expected[after - 1 : after + 1], t[after - 1 : after + 1])
    assert found.horizons["equation"] == pytest.approx(crossing, rel=1e-9)


def test_only_common_times_are_compared(make_run: Make, make_waves: Waves) -> None:
    measured = make_waves(dt=0.2, n_times=3)
    found = forecast(make_run(HEAT), init=make_waves(), compare=measured, save_every=0.1, t_end=0.6)
    (curve,) = found.curves.values()
    assert np.isfinite(curve).tolist() == [True, False, True, False, True, False, False]
    with pytest.raises(InputError, match=r"measured are t = 0 to 0\.4 .* the forecast starts at t = 0\.5"):
        forecast(make_run(HEAT), make_waves(), compare=measured)
    with pytest.raises(InputError, match="nothing to compare with") as caught:
        forecast(make_run(HEAT), init=make_waves(), compare=measured, save_every=0.07, t_end=0.49)
    assert caught.value.cure == "--save-every 0.2"


def test_where_no_step_meets_the_measurements_their_first_snapshot_is_the_cure(
    make_run: Make, make_waves: Waves
) -> None:
    for start in (make_waves(t0=0.03), make_waves(t0=3.0)):  # between their times, after them
        with pytest.raises(InputError, match="nothing to compare with") as caught:
            forecast(make_run(HEAT), init=start, compare=make_waves())
        assert caught.value.cure == "pdenet-durr forecast RUN --init waves --compare waves"


def test_times_before_the_first_measurement_are_told(make_run: Make, make_waves: Waves) -> None:
    found = forecast(make_run(HEAT), init=make_waves(), compare=make_waves(t0=0.3))
    assert found.notes == ("nothing is measured from the start at t = 0 to t = 0.3",)
    (curve,) = found.curves.values()
    assert np.isnan(curve).tolist() == [True] * 3 + [False] * 6


def test_more_snapshots_than_fit_into_the_memory_are_refused_at_once(make_run: Make, make_waves: Waves) -> None:
    with pytest.raises(ResourceError, match=r"snapshots need .* GB, the machine has") as caught:
        forecast(make_run(HEAT), make_waves(), t_end=0.5 + 1e9, save_every=1e-3)  # 0.5 PB
    words = caught.value.cure.split()
    assert words[::2] == ["--save-every", "--t-end"]
    n = (float(words[3]) - 0.5) / float(words[1])
    assert n == pytest.approx(round(n), abs=1e-6)  # the cure divides; short numbers


def test_gaps_in_the_measurements_do_not_count(make_run: Make, make_waves: Waves) -> None:
    whole = make_waves()
    holes = whole.values.copy()
    holes[0, 2, 0, :5] = holes[:, 4] = np.nan
    found = forecast(make_run(HEAT), init=whole, compare=replace(whole, values=holes))
    (curve,) = found.curves.values()
    assert np.isnan(curve).tolist() == [False] * 4 + [True, False]
    assert np.nanmax(curve) < EXACT


def test_files_give_the_same_as_fields(make_run: Make, make_waves: Waves, tmp_path: Path) -> None:
    whole, run = make_waves(), make_run(HEAT)
    write_npz(whole, tmp_path / "whole.npz", recipe={})
    from_file = forecast(run, tmp_path / "whole.npz", t_end=0.7)
    np.testing.assert_allclose(from_file.field.values, forecast(run, whole, t_end=0.7).field.values, atol=EXACT)


def test_a_single_snapshot_is_a_state_with_and_without_time(make_run: Make, make_waves: Waves, tmp_path: Path) -> None:
    run, state = make_run(HEAT), make_waves(n_times=1, t0=2.0)
    write_npz(state, tmp_path / "one.npz", recipe={})
    found = forecast(run, init=tmp_path / "one.npz", t_end=2.1)
    assert found.plan.times == pytest.approx((2.0, 2.1), rel=1e-12)  # its own time, the step of the run
    np.savez(tmp_path / "bare.npz", u=state.values[0, 0, 0])
    bare = forecast(run, init=tmp_path / "bare.npz", t_end=0.1)
    np.testing.assert_allclose(bare.field.values, found.field.values[:1], atol=EXACT)
    assert any("no grid spacing in the file" in note for note in bare.notes)


def test_complex_data_are_split_as_they_were_for_learning(make_run: Make, tmp_path: Path) -> None:
    """i psi_t = -psi_xx / 2: each wave e^ikx turns by e^(-i k^2 t / 2)."""
    x, t = TWO_PI * np.arange(16) / 16, 0.05 * np.arange(5)
    psi = sum(a * np.exp(1j * (k * x - k**2 * t[:, None] / 2)) for k, a in ((1, 1.0), (-2, 0.5)))
    np.savez(tmp_path / "psi.npz", psi=psi, t=t, x=x, dims=["time", "x"])
    data = read(tmp_path / "psi.npz", complex_parts="split", boundary="periodic")
    run = make_run(["psiRe_t = -0.5*psiIm_xx", "psiIm_t = 0.5*psiRe_xx"], data)
    found = forecast(run, init=tmp_path / "psi.npz", compare=tmp_path / "psi.npz")
    # 1e-6 an interval: waves that couple two variables are stepped, not solved exactly
    assert found.curves["error of the equation"].max() < 1e-6
    np.savez(tmp_path / "still.npz", psi=psi[0], x=x)
    still = forecast(run, init=tmp_path / "still.npz", t_end=0.2)
    np.testing.assert_allclose(still.field.values, found.field.values, atol=1e-12)  # the same work


def test_three_dimensions_against_the_closed_form(make_run: Make) -> None:
    x, t = TWO_PI * np.arange(8) / 8, 0.1 * np.arange(5)
    wave = np.cos(x)[:, None, None] * np.cos(2 * x)[:, None] * np.cos(x)
    values = np.exp(-0.6 * t)[:, None, None, None] * wave  # 0.1 (1 + 4 + 1)
    data = Field(values=values[None, :, None], dt=0.1, dx=(x[1],) * 3, names=("u",), boundary=("periodic",) * 3)
    found = forecast(make_run("u_t = 0.1*u_xx + 0.1*u_yy + 0.1*u_zz", data), init=data, compare=data)
    assert found.curves["error of the equation"].max() < EXACT


def test_variables_are_taken_by_name(make_run: Make, make_waves: Waves) -> None:
    waves = make_waves()
    values = np.concatenate([waves.values + 7.0, 2.0 * waves.values, waves.values], axis=2)
    three = replace(waves, values=values, names=("p", "v", "u"))
    found = forecast(
        make_run(["u_t = 0.1*u_xx", "v_t = 0.1*v_xx"], replace(three, names=("p", "v", "u"))), three, t_end=0.6
    )
    assert found.field.names == ("u", "v")
    np.testing.assert_allclose(found.field.values[:, :, 1], 2.0 * found.field.values[:, :, 0], atol=EXACT)
    with pytest.raises(InputError, match="learnt were w; there is no w among p, v, u"):
        forecast(make_run("w_t = 0.1*w_xx", replace(waves, names=("w",))), three, t_end=0.6)


def test_another_grid_is_told_and_another_dimension_refused(make_run: Make, make_waves: Waves) -> None:
    run = make_run(HEAT)
    finer = forecast(run, make_waves(n=32), t_end=0.6)
    np.testing.assert_allclose(finer.field.values, make_waves(n=32, n_times=2, t0=0.5).values, atol=EXACT)
    assert finer.notes == ("the grid spacing is 0.19635; learnt from data with 0.392699",)
    flat = make_waves()
    plane = replace(
        flat, values=np.repeat(flat.values[..., None], 4, axis=-1), dx=(0.4, 0.4), boundary=("periodic",) * 2, origin=()
    )
    with pytest.raises(InputError, match="2 space axes; learnt from data with 1"):
        forecast(run, plane, t_end=0.6)


def test_walls_are_refused_since_the_equation_is_silent_about_them(make_run: Make, make_waves: Waves) -> None:
    walled = replace(make_waves(), boundary=("none",))
    with pytest.raises(InputError, match="x has walls: the equation alone does not say what happens at them"):
        forecast(make_run(HEAT), walled, t_end=0.6)


def test_a_start_with_gaps_is_refused(make_run: Make, make_waves: Waves) -> None:
    waves = make_waves()
    waves.values[0, -1, 0, 3] = np.nan
    with pytest.raises(InputError, match=r"the snapshot at t = 0\.5, where the forecast starts, has 1 NaN"):
        forecast(make_run(HEAT), waves, t_end=0.6)
    assert forecast(make_run(HEAT), init=waves, t_end=0.1).field.n_times == 2


def test_values_outside_the_trained_range_are_told(make_run: Make, make_waves: Waves) -> None:
    waves = make_waves()
    higher = replace(waves, values=waves.values + 3.0)
    (note,) = forecast(make_run(HEAT), init=higher, t_end=0.1).notes
    assert note == "u reaches 4 by the equation, learnt on [-1, 1]: outside, nothing is known"


def test_a_blow_up_is_told_with_time_and_place(make_run: Make, make_waves: Waves) -> None:
    """u_t = u^2 from u0 = 1 + cos(x - 3): u = u0 / (1 - u0 t) first at its peak, at t = 1/2 after the start."""
    flat = make_waves(t0=1.0).select(runs=[0])
    start = replace(flat, values=np.broadcast_to(1.0 + np.cos(flat.coordinates()["x"] - 3.0), flat.values.shape).copy())
    with pytest.raises(Diverged) as caught:
        forecast(make_run("u_t = 1.0*u**2"), init=start, t_end=1.6)
    assert caught.value.t == pytest.approx(1.5, abs=2e-3)  # of the interval that the solver halves, from .1
    assert caught.value.where.startswith("the equation: u of run 0 near x=")
    near = float(caught.value.where.rpartition("=")[2])
    assert near == pytest.approx(3.0, abs=TWO_PI / 16)  # a neighbouring grid point
    assert "--t-end" in caught.value.cure


def test_an_ill_posed_equation_is_no_wrong_usage(make_run: Make, make_waves: Waves) -> None:
    with pytest.raises(UntrustedResult, match="ill-posed: short waves grow without bound") as caught:
        forecast(make_run("u_t = -0.1*u_xx"), make_waves(), t_end=0.6)
    assert caught.value.where == "the found equation: u_t = -0.1*u_xx"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"t_end": 1.0}, "nothing to start from"),
        ({"data": 1, "init": 1, "t_end": 1.0}, "two things to start from"),
        ({"data": 1}, "how far"),
        ({"data": 1, "t_end": 0.4}, r"t-end 0\.4 is not after the start at t = 0\.5"),
        ({"data": 1, "t_end": 0.65}, r"save-every 0\.1 does not divide"),
        ({"data": 1, "t_end": 1.0, "save_every": -1.0}, "save-every -1 is not positive"),
        ({"data": 1, "t_end": 1.0, "ensemble": 1}, "an ensemble of 1 has no spread"),
        ({"data": 1, "t_end": 1.0, "solver": "magic"}, "unknown solver 'magic'"),
        ({"data": 1, "t_end": 1.0, "solver": "both"}, "has no network"),
        ({"data": 1, "t_end": 1.0, "boundary": "open"}, "--bc open"),
        ({"data": 1, "t_end": 1.0, "seed": -1}, "seed -1"),
        ({"data": 1, "t_end": 1.0, "save_every": 0.0}, "save-every 0 is not positive"),
        ({"data": 1, "t_end": float("nan")}, "t-end nan is not after the start"),
        ({"data": 1, "t_end": 1.0, "tolerance": 1.0}, r"tolerance 1 is not between 1e-12 and 0\.1"),
    ],
)
def test_wrong_words(options: dict[str, object], told: str, make_run: Make, make_waves: Waves) -> None:
    words = {key: make_waves() if key in ("data", "init") else value for key, value in options.items()}
    with pytest.raises(UsageError, match=told):
        forecast(make_run(HEAT), **words)


def test_only_runs_and_estimators_that_have_learned_forecast() -> None:
    with pytest.raises(UsageError, match="a PDENet is neither the folder of a run nor an estimator that has learned"):
        Source.of(PDENet())


def test_measurements_must_stand_on_the_same_grid(make_run: Make, make_waves: Waves) -> None:
    waves = make_waves()
    for measured, told in (
        (make_waves(n=32), "grid points differ"),
        (waves.select(runs=[0]), "runs differ"),
        (replace(waves, dx=(0.3,)), "grid spacings differ"),
    ):
        with pytest.raises(InputError, match=told):
            forecast(make_run(HEAT), init=waves, compare=measured)


@pytest.mark.parametrize(("tolerance", "expected"), [(1e-6, 1e-4), (1e-8, 1e-5)])
def test_two_dimensions_and_several_variables_against_the_simulator(
    tolerance: float, expected: float, make_run: Make
) -> None:
    """Another solution of the same equations by the same solver, saved twice as often: only its tolerance differs.

    A hundredth of the tolerance in energy is left out at the grid limit: its root in amplitude is the larger error.
    """
    data = simulate("fitzhugh-nagumo", grid="16x16", runs=2, t_end=0.2, save_every=0.05, seed=1)
    texts = [
        "u_t = 0.1*u_xx + 0.1*u_yy + 1.0*u - 1.0*u**3 - 1.0*v + 0.01",
        "v_t = 0.2*v_xx + 0.2*v_yy + 0.5*u - 0.5*v",
    ]
    found = forecast(make_run(texts, data), init=data, compare=data, save_every=0.025, tolerance=tolerance)
    assert np.nanmax(found.curves["error of the equation"]) < expected
