from __future__ import annotations

import numpy as np
import pytest

from backbone.errors import InputError
from pdenet.fields.field import Field, space_axes


def make(shape: tuple[int, ...] = (2, 5, 1, 4, 6), **changes: object) -> Field:
    n_dims = len(shape) - 3
    settings = {
        "values": np.arange(np.prod(shape), dtype=float).reshape(shape),
        "dt": 0.1,
        "dx": (0.5, 0.25, 0.2)[:n_dims],
        "names": ("u", "v", "w")[: shape[2]],
        "boundary": ("periodic", "none", "none")[:n_dims],
    }
    return Field(**(settings | changes))  # type: ignore[arg-type]


def test_axes_are_named_from_the_last_one() -> None:
    assert [space_axes(n) for n in (1, 2, 3)] == [("x",), ("y", "x"), ("z", "y", "x")]
    assert make().axes == ("y", "x")


def test_lengths_close_a_period_and_end_at_walls() -> None:
    # four cells of 0.5 around the period; five gaps of 0.25 between six points with walls
    assert make().lengths == (2.0, 1.25)


def test_times_and_coordinates_start_where_told() -> None:
    field = make(t0=3.0, origin=(-1.0, 2.0))
    np.testing.assert_allclose(field.times(), [3.0, 3.1, 3.2, 3.3, 3.4], rtol=1e-15)
    assert field.coordinates()["y"].tolist() == [-1.0, -0.5, 0.0, 0.5]
    assert field.coordinates()["x"].tolist() == [2.0, 2.25, 2.5, 2.75, 3.0, 3.25]


def test_sizes() -> None:
    field = make()
    assert (field.n_runs, field.n_times, field.n_dims, field.space_shape) == (2, 5, 2, (4, 6))
    assert field.origin == (0.0, 0.0)


def test_select_keeps_the_time_of_the_first_snapshot() -> None:
    field = make(t0=1.0)
    part = field.select(runs=[1], times=slice(2, 4))
    assert part.values.shape == (1, 2, 1, 4, 6)
    assert part.t0 == pytest.approx(1.2, rel=1e-15)
    np.testing.assert_array_equal(part.values, field.values[1:2, 2:4])


@pytest.mark.parametrize(
    "changes",
    [
        {"dx": (0.5,)},
        {"boundary": ("none",)},
        {"origin": (0.0,)},
        {"names": ("u", "v")},
        {"names": ("v_x",)},
        {"names": ("x",)},
        {"names": ("2u",)},
        {"names": ("",)},
    ],
    ids=str,
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        make(**changes)


@pytest.mark.parametrize("name", ["u", "rho", "U2", "u_1", "Vx"])
def test_names_that_no_derivative_is_written_like(name: str) -> None:
    assert make(names=(name,)).names == (name,)
