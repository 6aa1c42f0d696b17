from __future__ import annotations

import numpy as np
import pytest

from backbone.errors import InputError, UsageError
from pdenet.readers.contents import Contents, Note
from pdenet.readers.coordinates import axis_steps, find_coordinates, uniform_step
from pdenet.readers.variables import choose_variables, clean_names, real_parts

U = np.arange(12.0).reshape(3, 4)


def contents(**arrays: np.ndarray) -> Contents:
    return Contents("data.npz", arrays)


def silent(text: str) -> None:
    """A reader of notes who does not listen."""


@pytest.mark.parametrize("name", ["t", "time", "tt"])
def test_time_has_several_spellings(name: str) -> None:
    found = find_coordinates(contents(u=U, **{name: np.arange(3.0), "x": np.arange(4.0)}))
    assert set(found) == {"time", "x"}
    assert found["time"].tolist() == [0.0, 1.0, 2.0]


def test_meshes_and_single_numbers_are_no_coordinates() -> None:
    assert find_coordinates(contents(x=U, t=np.array([0.1]), X=np.arange(4.0))).keys() == {"x"}
    assert find_coordinates(contents(x=np.arange(4.0), X=np.arange(9.0)))["x"].size == 4


@pytest.mark.parametrize(
    "points",
    [
        np.linspace(-8, 8, 256, endpoint=False),
        np.linspace(1000.0, 1001.0, 101, dtype=np.float32),  # rounding of 6e-5 in steps of 0.01
        np.round(np.arange(100) * np.pi / 100, 5),  # five decimals in a text file
        np.arange(7),
    ],
    ids=["float64", "float32", "decimals", "integers"],
)
def test_uniform_points_give_their_step(points: np.ndarray) -> None:
    start, step = uniform_step("x", points, "data.npz")
    assert start == points[0]
    # both ends are off by at most their rounding, here 6e-5 of 100 steps of 0.01
    assert step == pytest.approx(float(points[-1] - points[0]) / (len(points) - 1), rel=1e-4)


def test_the_worst_place_is_told() -> None:
    points = np.arange(20) * 0.5
    points[13:] += 0.25
    with pytest.raises(InputError, match=r"steps by 0\.75 from x=6 \(entry 12\), and by 0\.5 elsewhere"):
        uniform_step("x", points, "data.npz")


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.geomspace(1, 100, 30), "not uniform"),
        (np.zeros(5), "not uniform"),
        (np.array([0.0, 1.0, np.nan, 3.0]), "NaN or Inf at entry 2"),
        (np.arange(9.0)[::-1], "runs backwards, from 8 to 0"),
    ],
)
def test_points_of_no_uniform_grid_are_refused(points: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        uniform_step("t", points, "data.npz")


def test_steps_come_from_options_then_coordinates_then_numbers_in_the_file() -> None:
    file = contents(u=U, t=np.arange(3) * 0.1 + 5, dx=np.array(0.25))
    notes: list[str] = []
    steps = axis_steps(file, find_coordinates(file), ("time", "x"), {}, notes.append)
    assert steps["time"] == (5.0, pytest.approx(0.1, rel=1e-12))
    assert steps["x"] == (0.0, 0.25)
    assert notes == []
    told = axis_steps(file, find_coordinates(file), ("time", "x"), {"time": 0.2, "x": 0.25}, notes.append)
    assert told["time"] == (5.0, 0.2)
    assert notes == ["the step of time is 0.2 as told, though the file says 0.1"]


@pytest.mark.parametrize(("axis", "option"), [("time", "--dt"), ("x", "--dx")])
def test_an_unknown_step_is_asked_for(axis: str, option: str) -> None:
    with pytest.raises(InputError, match=f"no coordinate {axis}") as caught:
        axis_steps(contents(u=U), {}, (axis,), {}, silent)
    assert f"pdenet-durr inspect data.npz {option} " in caught.value.cure


def test_every_array_that_is_no_coordinate_is_a_variable() -> None:
    T, X = np.meshgrid(np.arange(3.0), np.arange(4.0), indexing="ij")
    found = choose_variables(contents(u=U, v=U, t=np.arange(3.0), X=X, T=T, nu=np.array(0.1)), None)
    assert list(found) == ["u", "v"]


def test_a_temperature_is_a_variable() -> None:
    assert list(choose_variables(contents(T=U, t=np.arange(3.0)), None)) == ["T"]


def test_wanted_variables_keep_their_order() -> None:
    assert list(choose_variables(contents(u=U, v=U, w=U[:2]), ["v", "u"])) == ["v", "u"]


def test_a_wrong_variable_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no variable 'presure'; the file holds u, pressure. Did you mean pressure"):
        choose_variables(contents(u=U, pressure=U), ["presure"])
    with pytest.raises(UsageError, match="it has 1 axes"):
        choose_variables(contents(u=U, t=np.arange(3.0)), ["t"])


def test_nothing_to_learn_from_is_told() -> None:
    with pytest.raises(InputError, match="no variable over time and space; the file holds t 3, nu one number"):
        choose_variables(contents(t=np.arange(3.0), nu=np.array(0.1)), None)
    with pytest.raises(InputError, match="the file holds no numeric arrays"):
        choose_variables(contents(), None)


def test_shapes_must_agree() -> None:
    with pytest.raises(InputError, match="differ in shape: u 3x4, p 4x3") as caught:
        choose_variables(contents(u=U, p=U.T), None)
    assert caught.value.cure == "pdenet-durr inspect data.npz --var u"


@pytest.mark.parametrize(
    ("names", "cleaned"),
    [
        (("usol",), ("u",)),
        (("uu",), ("u",)),
        (("usol", "vsol"), ("usol", "vsol")),
        (("u", "v"), ("u", "v")),
        (("v_x", "rho"), ("vx", "rho")),
        (("u_1", "u_2"), ("u_1", "u_2")),
        (("2u",), ("u2u",)),
        (("T",), ("T",)),
        (("x",), ("ux",)),
    ],
)
def test_names_can_stand_in_terms(names: tuple[str, ...], cleaned: tuple[str, ...]) -> None:
    notes: list[str] = []
    assert clean_names(names, "data.npz", notes.append) == cleaned
    assert len(notes) == sum(old != new for old, new in zip(names, cleaned, strict=True))


def test_names_that_fall_together_are_refused() -> None:
    with pytest.raises(InputError, match="become vx, vx"):
        clean_names(("v_x", "vx"), "data.npz", silent)


def parts(array: np.ndarray, note: Note = silent, *, split: bool = False) -> dict[str, np.ndarray]:
    return real_parts("u", array, "data.npz", note, split=split)


@pytest.mark.parametrize(("dtype", "word"), [("i2", "whole numbers"), ("u1", "whole numbers"), ("f4", "float32")])
def test_coarse_storage_is_told(dtype: str, word: str) -> None:
    notes: list[str] = []
    values = parts(U.astype(dtype), notes.append)["u"]
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, U)
    assert len(notes) == 1
    assert word in notes[0]


@pytest.mark.parametrize("split", [False, True])
def test_an_imaginary_part_of_rounding_is_dropped(split: bool) -> None:
    notes: list[str] = []
    found = parts(U + 1e-8j, notes.append, split=split)
    assert list(found) == ["u"]
    np.testing.assert_array_equal(found["u"], U)
    assert "is dropped" in notes[0]


def test_complex_data_are_refused_or_split() -> None:
    # rms(imaginary) / rms(real) = 3 / sqrt(sum of 0..11 squared / 12) = 3 / 6.49
    with pytest.raises(InputError, match=r"u is complex: its imaginary part is 0\.46 of its real part") as caught:
        parts(U + 3j)
    assert caught.value.cure == "pdenet-durr inspect data.npz --complex split"
    notes: list[str] = []
    found = parts(U + 3j, notes.append, split=True)
    assert list(found) == ["uRe", "uIm"]
    np.testing.assert_array_equal(found["uRe"], U)
    np.testing.assert_array_equal(found["uIm"], np.full_like(U, 3.0))
    assert "its real part is called uRe" in notes[0]
