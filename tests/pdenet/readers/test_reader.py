from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pdenet
from backbone.errors import InputError, UsageError
from pdenet.fields.field import Field
from pdenet.readers import read
from pdenet.writers import write_npz

NT, NX = 31, 48
T = np.linspace(0.5, 2.0, NT)
X = np.linspace(-1.0, 1.0, NX, endpoint=False)


def waves(t: np.ndarray = T, x: np.ndarray = X, phase: float = 0.3) -> np.ndarray:
    """Three travelling waves of period 2 in x, as u[time, x]."""
    moving = np.pi * (x - 0.4 * t[:, None])
    return np.cos(moving + phase) + 0.5 * np.sin(2 * moving) + 0.25 * np.cos(3 * moving + 1)


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save(tmp_path / "data.npz", u=waves(), t=T, x=X)


def test_a_plain_file_is_read_without_options(file: Path) -> None:
    field = read(file)
    np.testing.assert_array_equal(field.values[0, :, 0], waves())
    assert field.values.shape == (1, NT, 1, NX)
    assert field.dt == pytest.approx(0.05, rel=1e-12)
    assert field.dx == (pytest.approx(2 / NX, rel=1e-12),)
    assert (field.names, field.boundary, field.t0, field.origin) == (("u",), ("periodic",), 0.5, (-1.0,))
    assert field.source == str(file)
    assert pdenet.read is read


def test_what_simulate_writes_is_read_back_exactly(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    field = Field(
        values=generator.standard_normal((2, 5, 2, 6, 8, 8)),  # two axes of equal length
        dt=0.01,
        dx=(0.5, 0.25, 0.125),
        names=("u", "w_1"),
        boundary=("none", "periodic", "periodic"),
        t0=1.0,
        origin=(0.0, -1.0, 2.0),
    )
    write_npz(field, tmp_path / "a.npz", recipe={"seed": "0"})
    notes: list[str] = []
    again = read(tmp_path / "a.npz", note=notes.append)
    np.testing.assert_array_equal(again.values, field.values)
    assert replace(again, values=field.values, dt=0.01, dx=field.dx) == replace(field, source="")
    assert again.dt == pytest.approx(0.01, rel=1e-12)  # differences of coordinates around 1
    assert again.dx == pytest.approx(field.dx, rel=1e-12)
    # white noise does not look like walls; what the file says is believed without a word
    assert notes == []


@pytest.mark.parametrize("boundary", ["none", "periodic"])
def test_told_boundaries_win(file: Path, boundary: str) -> None:
    assert read(file, boundary=boundary).boundary == (boundary,)


def test_a_period_that_is_none_is_told(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", u=waves()[:, : NX // 3], t=T, x=X[: NX // 3])
    notes: list[str] = []
    assert read(file, note=notes.append).boundary == ("none",)
    assert notes == ["x looks not periodic at its ends; --bc wins over this"]
    assert read(file, boundary="periodic", note=notes.append).boundary == ("periodic",)
    assert "x is said to be periodic, but" in notes[-1]


@pytest.mark.parametrize(("boundary", "points"), [(None, NX), ("periodic", NX), ("none", NX + 1)])
def test_a_repeated_end_point_is_dropped_unless_told_otherwise(
    tmp_path: Path, boundary: str | None, points: int
) -> None:
    x = np.linspace(-1.0, 1.0, NX + 1)
    notes: list[str] = []
    field = read(save(tmp_path / "a.npz", u=waves(x=x), t=T, x=x), boundary=boundary, note=notes.append)
    assert field.space_shape == (points,)
    assert any("repeats the first one of the period" in text for text in notes) == (boundary != "none")


def test_pde_find_files(tmp_path: Path) -> None:
    from scipy.io import savemat

    savemat(tmp_path / "a.mat", {"usol": waves().T + 1e-9j, "t": T[:, None], "x": X[None]})
    notes: list[str] = []
    field = read(tmp_path / "a.mat", note=notes.append)
    np.testing.assert_array_equal(field.values[0, :, 0], waves())
    assert field.names == ("u",)
    assert len(notes) == 3  # complex storage, the name, the boundary


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(["run", "time", "y", "x"]), told=st.booleans(), short=st.booleans())
def test_any_order_of_the_axes_gives_the_same_field(tmp_path: Path, order: list[str], told: bool, short: bool) -> None:
    """Two axes of equal length and one variable per run: names alone can settle it, and do."""
    sizes = {"run": 2, "time": 6, "y": 6, "x": 7}
    standard = np.random.default_rng(1).standard_normal(tuple(sizes.values())).cumsum(1).cumsum(2).cumsum(3)
    stored = standard.transpose([list(sizes).index(axis) for axis in order])
    words = [{"time": "t"}.get(axis, axis) if short else axis for axis in order]
    arrays: dict[str, Any] = {axis if axis != "time" else "t": np.arange(n) * 0.5 for axis, n in sizes.items()}
    arrays.pop("run")
    file = save(tmp_path / "a.npz", u=stored, v=2 * stored, **arrays, **({} if told else {"dims": words}))
    field = read(file, dims=",".join(words) if told else None)
    np.testing.assert_array_equal(field.values[:, :, 0], standard)
    np.testing.assert_array_equal(field.values[:, :, 1], 2 * standard)
    assert (field.dt, field.dx) == (0.5, (0.5, 0.5))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_lengths_alone_settle_unequal_axes(tmp_path: Path, order: tuple[int, ...]) -> None:
    values = np.stack([waves(phase=0.1 * run) for run in range(3)])
    field = read(save(tmp_path / "a.npz", u=values.transpose(order), t=T, x=X))
    np.testing.assert_array_equal(field.values[:, :, 0], values)


def test_several_files_are_several_runs(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{run}.npz", u=waves(phase=run), t=T, x=X) for run in range(3)]
    notes: list[str] = []
    field = read(files, note=notes.append)
    assert field.n_runs == 3
    np.testing.assert_array_equal(field.values[:, :, 0], np.stack([waves(phase=run) for run in range(3)]))
    assert len(notes) == len(set(notes))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"u": waves()[:20], "t": T[:20], "x": X}, "the snapshots differ: 31 in .*, 20 in"),
        ({"u": waves()[:, :40], "t": T, "x": X[:40]}, "the grid points differ"),
        ({"u": waves(), "t": 2 * T, "x": X}, "the dt differ"),
        ({"u": waves(), "t": T, "x": 3 * X}, "the dx differ"),
        ({"v": waves(), "t": T, "x": X}, "the variables differ"),
    ],
)
def test_files_of_different_grids_are_refused(file: Path, tmp_path: Path, other: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read([file, save(tmp_path / "other.npz", **other)])


def test_steps_may_be_told(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", u=np.stack([waves()] * 5, axis=1))
    field = read(file, dims="t,y,x", dt=0.05, dx=(0.2, 0.1))
    assert (field.dt, field.dx) == (0.05, (0.2, 0.1))
    assert read(file, dims="t,y,x", dt=0.05, dx="0.2, 0.1").dx == (0.2, 0.1)
    assert read(file, dims="t,y,x", dt=0.05, dx=0.1).dx == (0.1, 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt": 0.0}, "--dt 0 is not a positive number"),
        ({"dx": -1.0}, "--dx -1 is not a positive number"),
        ({"dx": "a"}, "--dx a is not a list of numbers"),
        ({"dx": (0.1, 0.2)}, "--dx 0.1,0.2 has 2 entries for the space axes x"),
        ({"boundary": "wall"}, "--bc wall: boundaries are periodic or none"),
        ({"boundary": "none,none"}, "--bc none,none has 2 entries"),
        ({"dims": "t,q"}, "'q' is not an axis"),
        ({"variables": "w"}, "no variable 'w'"),
    ],
)
def test_wrong_words_are_wrong_usage(file: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(file, **options)


def test_no_file_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="no file is named"):
        read([])


def test_ambiguous_axes_are_asked_for(tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", u=waves()[:, :NT], t=T, x=X[:NT])
    with pytest.raises(InputError, match=r"cannot tell the axes of u, 31x31: time,x or x,time\?"):
        read(file)


def test_holes_are_counted_and_placed(tmp_path: Path) -> None:
    values = np.stack([waves(), waves(phase=1)])
    values[1, 3, 17] = np.nan
    values[1, 5, 2:4] = np.inf
    with pytest.raises(InputError) as caught:
        read(save(tmp_path / "a.npz", u=values, t=T, x=X))
    # 3 of 2 * 31 * 48 values; t[3] = 0.65, x[17] = -1 + 17 / 24
    assert caught.value.what == ("u has 1 NaN and 2 Inf of 2 976 (0.1 %), first at run 1, t=0.65, x=-0.291667")


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_snapshots_are_told(tmp_path: Path, n: int) -> None:
    with pytest.raises(InputError, match=f"{n} snapshots: a time derivative needs at least 3"):
        read(save(tmp_path / "a.npz", u=waves()[:n]), dims="t,x", dt=0.1, dx=0.1)


def test_too_few_points_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="4 points along x: space derivatives need at least 5"):
        read(save(tmp_path / "a.npz", u=waves()[:, :4]), dims="t,x", dt=0.1, dx=0.1)


def test_a_crooked_grid_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the coordinate x is not uniform"):
        read(save(tmp_path / "a.npz", u=waves(), t=T, x=np.sign(X) * X**2))
