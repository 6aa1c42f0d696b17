from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import InputError, UsageError
from pdenet.readers.dims import AXES, parse_dims, resolve_dims, to_standard_order


def resolve(
    shape: tuple[int, ...],
    lengths: dict[str, int],
    given: tuple[str, ...] | None = None,
    stated: tuple[str, ...] = (),
) -> tuple[str, ...]:
    return resolve_dims("u", np.zeros(shape), lengths, given=given, stated=stated, source="a file.npz")


@pytest.mark.parametrize(
    ("words", "axes"),
    [
        ("run,time,y,x", ("run", "time", "y", "x")),
        ("x,t", ("x", "time")),
        (" t , x ", ("time", "x")),
        (("z", "y", "x", "t"), ("z", "y", "x", "time")),
    ],
)
def test_short_and_full_names(words: str | tuple[str, ...], axes: tuple[str, ...]) -> None:
    assert parse_dims(words) == axes


@pytest.mark.parametrize("words", ["t,q", "t", "x", "t,t,x", "t,y", "run,x", "t,z,x", "", "t,x,"])
def test_words_that_name_no_grid_are_wrong_usage(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_dims(words)
    assert caught.value.where == "--dims"


def test_the_wrong_word_is_named() -> None:
    with pytest.raises(UsageError, match="--dims t,q: 'q' is not an axis; axes are run t z y x"):
        parse_dims("t,q")


@pytest.mark.parametrize(
    ("shape", "lengths", "axes"),
    [
        ((256, 101), {"x": 256, "time": 101}, ("x", "time")),
        ((101, 256), {"x": 256, "time": 101}, ("time", "x")),
        ((28, 10, 32), {"x": 32, "time": 10}, ("run", "time", "x")),
        ((32, 16, 10), {"x": 16, "y": 32, "time": 10}, ("y", "x", "time")),
        ((5, 32, 16, 10), {"x": 16, "y": 32, "time": 10}, ("run", "y", "x", "time")),
        ((8, 6, 7, 10), {"x": 6, "y": 7, "z": 8, "time": 10}, ("z", "x", "y", "time")),
        ((256, 101, 1), {"x": 256, "time": 101}, ("x", "time", "run")),
        # one axis is left over and time is missing: it can only be time
        ((50, 256), {"x": 256}, ("time", "x")),
    ],
)
def test_lengths_settle_the_axes_where_only_one_order_fits(
    shape: tuple[int, ...], lengths: dict[str, int], axes: tuple[str, ...]
) -> None:
    assert resolve(shape, lengths) == axes


@pytest.mark.parametrize(
    ("shape", "lengths"),
    [
        ((64, 64), {"x": 64, "time": 64}),
        ((10, 32, 32), {"time": 10, "x": 32, "y": 32}),
        ((10, 10, 32), {"time": 10, "x": 32}),
        ((20, 10, 32), {"x": 32}),
        ((64, 64, 64), {}),
    ],
)
def test_a_choice_is_the_users(shape: tuple[int, ...], lengths: dict[str, int]) -> None:
    with pytest.raises(InputError, match="cannot tell the axes of u") as caught:
        resolve(shape, lengths)
    assert caught.value.cure.startswith("pdenet-durr inspect 'a file.npz' --dims ")
    # the cure is a command that works: its dims are accepted
    words = caught.value.cure.rsplit(" ", 1)[1]
    assert resolve(shape, lengths, given=parse_dims(words)) == parse_dims(words)


def test_the_possibilities_are_named() -> None:
    with pytest.raises(InputError, match=r"10x32x32: time,y,x or time,x,y\?"):
        resolve((10, 32, 32), {"time": 10, "x": 32, "y": 32})


@pytest.mark.parametrize(("shape", "lengths"), [((256, 101), {"x": 256, "time": 100}), ((9, 9), {"x": 9, "y": 9})])
def test_coordinates_that_fit_nowhere_are_told(shape: tuple[int, ...], lengths: dict[str, int]) -> None:
    with pytest.raises(InputError, match="does not fit the coordinates"):
        resolve(shape, lengths)


def test_told_dims_win_over_stated_ones_and_those_over_lengths() -> None:
    shape, lengths = (32, 32, 10), {"time": 10, "x": 32, "y": 32}
    assert resolve(shape, lengths, stated=("y", "x", "t")) == ("y", "x", "time")
    assert resolve(shape, lengths, given=("x", "y", "time"), stated=("y", "x", "t")) == ("x", "y", "time")


def test_told_dims_must_fit_the_array() -> None:
    with pytest.raises(UsageError, match="names 2 axes, u has 3"):
        resolve((3, 4, 5), {}, given=("time", "x"))
    with pytest.raises(InputError, match="the axis named x of u has 4 entries, the coordinate in the file 9"):
        resolve((3, 4), {"x": 9}, given=("time", "x"))


@pytest.mark.parametrize("stated", [("species", "t", "x"), ("t", "x"), ("t", "x", "x"), ("a", "b", "c")])
def test_stated_dims_that_make_no_sense_are_told(stated: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="the file names the axes"):
        resolve((3, 4, 5), {}, stated=stated)


@given(st.permutations(AXES), st.sampled_from([("time", "x"), ("run", "time", "x"), ("run", "time", "y", "x"), AXES]))
def test_order_on_disk_does_not_matter(order: list[str], kept: tuple[str, ...]) -> None:
    dims = tuple(axis for axis in order if axis in kept)
    sizes = dict(zip(AXES, (2, 3, 4, 5, 6), strict=True))
    standard = tuple(axis for axis in AXES if axis in kept)
    array = np.arange(np.prod([sizes[axis] for axis in standard]), dtype=float)
    array = array.reshape([sizes[axis] for axis in standard])
    stored = array.transpose([standard.index(axis) for axis in dims])
    found = to_standard_order(stored, dims)
    np.testing.assert_array_equal(found, array if "run" in kept else array[None])
    assert found.base is not None  # a view: nothing is laid out anew
