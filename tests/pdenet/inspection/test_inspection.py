from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backbone.errors import InputError, UsageError
from pdenet.fields.field import Boundary, Field
from pdenet.inspection.inspection import inspect, inspect_files

X = 2 * np.pi * np.arange(64) / 64
T = 0.1 * np.arange(20)


def moving_wave(boundary: Boundary = "periodic") -> Field:
    """sin(2 x - t) + 0.01 sin(29 x): two wave numbers of 32, one of them above 2/3 of the limit."""
    values = np.sin(2 * X - T[:, None]) + 0.01 * np.sin(29 * X)
    return Field(values=values[None, :, None], dt=0.1, dx=(X[1],), names=("u",), boundary=(boundary,), t0=1.0)


def test_axes_and_ranges() -> None:
    found = inspect(moving_wave())
    assert (found.runs, found.problems) == (1, ())
    time, space = found.axes
    assert (time.name, time.points, time.start, time.step, time.boundary) == ("time", 20, 1.0, 0.1, None)
    assert (space.name, space.points, space.start, space.step, space.boundary) == ("x", 64, 0.0, X[1], "periodic")
    (u,) = found.variables
    values = moving_wave().values
    assert (u.name, u.holes, u.minimum, u.maximum) == ("u", 0, values.min(), values.max())
    # mean square of the waves: 1/2 (1 + 1e-4)
    assert u.std == pytest.approx(np.sqrt(0.5 * (1 + 1e-4)), rel=1e-12)


def test_the_share_at_the_grid_limit_is_that_of_parseval() -> None:
    share = inspect(moving_wave()).axes[1].at_grid_limit
    assert share == pytest.approx(1e-4 / (1 + 1e-4), rel=1e-9)  # rounding of the transform


def test_white_noise_has_a_third_of_its_variance_at_the_grid_limit() -> None:
    noise = np.random.default_rng(0).standard_normal((4, 20, 1, 60))
    for side in ("periodic", "none"):
        field = Field(values=noise, dt=1.0, dx=(1.0,), names=("u",), boundary=(side,))
        # 4 800 values: the share scatters by 2 %; the edge of the band by half a wave number of 30
        assert inspect(field).axes[1].at_grid_limit == pytest.approx(1 / 3, rel=0.1)


def test_walls_are_no_jumps() -> None:
    """A ramp between walls is smooth; as a period it would have a jump with 2e-2 of its variance at the limit."""
    ramp = np.tile(X, (1, 5, 1, 1))
    field = Field(values=ramp, dt=1.0, dx=(1.0,), names=("u",), boundary=("none",))
    assert inspect(field).axes[1].at_grid_limit < 1e-4
    assert inspect(replace(field, boundary=("periodic",))).axes[1].at_grid_limit > 1e-2


def test_change_per_step_is_that_of_a_moving_wave() -> None:
    (u,) = inspect(moving_wave()).variables
    # sin(a - dt) - sin(a) has the amplitude 2 sin(dt / 2)
    assert u.change_per_step == pytest.approx(2 * np.sin(0.05) * np.sqrt(0.5), rel=1e-12)
    assert u.relative(u.change_per_step) == pytest.approx(2 * np.sin(0.05), rel=1e-4)


def test_noise_is_reported() -> None:
    field = moving_wave()
    noisy = replace(field, values=field.values + 0.02 * np.random.default_rng(1).standard_normal(field.values.shape))
    (u,) = inspect(noisy).variables
    assert u.noise == pytest.approx(0.02, rel=0.15)  # the promise of estimate_noise


def test_unusable_fields_are_described_as_far_as_they_go() -> None:
    field = moving_wave()
    values = field.values.copy()
    values[0, 3, 0, 5] = np.nan
    found = inspect(replace(field, values=values))
    assert len(found.problems) == 1
    (u,) = found.variables
    assert (u.holes, u.noise, u.change_per_step) == (1, None, None)
    assert u.maximum == np.nanmax(values)
    nothing = inspect(replace(field, values=np.full_like(values, np.nan)))
    assert nothing.variables[0].maximum == 0.0
    assert len(inspect(field.select(times=slice(0, 2))).problems) == 1


def test_constant_data_have_no_shares() -> None:
    flat = Field(values=np.ones((1, 4, 1, 8)), dt=1.0, dx=(1.0,), names=("u",), boundary=("none",))
    (u,) = inspect(flat).variables
    assert (u.std, u.relative(u.noise)) == (0.0, None)
    assert inspect(flat).axes[1].at_grid_limit == 0.0


def test_files_give_the_learn_line(tmp_path: Path) -> None:
    path = tmp_path / "my data.npz"
    np.savez(path, u=moving_wave().values[:, :, 0], w=np.zeros((1, 20, 64)))
    found = inspect_files(path, variables="u", dims="run,t,x", dt=0.1, dx=0.5, boundary="periodic")
    assert found.learn == (f"pdenet-durr learn '{path}' --var u --dims run,time,x --dx 0.5 --bc periodic --dt 0.1")
    assert found.field is not None
    assert found.as_dict()["field"]["axes"][1]["boundary"] == "periodic"
    assert [entry.name for entry in found.arrays] == ["u", "w"]


def test_files_without_a_field_keep_their_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", u=np.zeros((6, 7)))
    found = inspect_files(tmp_path / "a.npz")
    assert found.field is None
    assert isinstance(found.problems[0], InputError)
    assert found.as_dict()["learn"] is None
    assert found.as_dict()["arrays"] == [
        {"source": str(tmp_path / "a.npz"), "name": "u", "shape": (6, 7), "dtype": "float64"}
    ]


def test_wrong_words_stop_before_any_file_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        inspect_files(tmp_path / "missing.npz", dims="t,q")
