from __future__ import annotations

import numpy as np
import pytest

from backbone.errors import InputError
from pdenet.readers.alarms import check_layout

NT, NX = 61, 100
T = 0.1 * np.arange(NT)
X = np.linspace(0, 2 * np.pi, NX, endpoint=False)
Y = np.linspace(0, 2 * np.pi, 30, endpoint=False)


def three_modes() -> np.ndarray:
    """u_t = 5 u_xx from three sine modes, as u[time, x]: the data of a user who reshaped them."""
    k = np.array([1, 2, 3])[:, None, None]
    return (np.exp(-0.05 * k**2 * T[:, None]) * np.sin(k * X) / k).sum(0)


def plane_waves() -> np.ndarray:
    return np.sin(X - T[:, None, None]) * np.cos(Y[:, None]) + 0.3 * np.cos(2 * X + Y[:, None] - T[:, None, None])


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_reshape_for_a_transpose_is_found(order: str, noise: float) -> None:
    right = three_modes()
    right += noise * right.std() * np.random.default_rng(0).standard_normal(right.shape)
    check_layout("u", right, ("time", "x"), "a.npz")
    check_layout("u", right.T, ("x", "time"), "a.npz")
    with pytest.raises(InputError, match="reshaped instead of transposed") as caught:
        check_layout("u", right.reshape((NX, NT), order=order), ("x", "time"), "a.npz")
    assert "61x100" in caught.value.cure
    assert "--dims time,x" in caught.value.cure


@pytest.mark.parametrize("dims", [("x", "y", "time"), ("x", "time", "y"), ("y", "time", "x")])
def test_planes_are_searched_in_every_order(dims: tuple[str, ...]) -> None:
    right, names = plane_waves(), ("time", "y", "x")
    check_layout("u", right, names, "a.npz")
    with pytest.raises(InputError, match="Read back as time,y,x"):
        check_layout("u", right.reshape([right.shape[names.index(axis)] for axis in dims]), dims, "a.npz")


@pytest.mark.parametrize(
    "array",
    [
        np.random.default_rng(0).standard_normal((40, 50)),  # noise has no smooth order
        np.sin(X + 2.0 * np.arange(NT)[:, None]),  # steps of two radians: rough in time, and truly so
        np.sign(np.sin(X - T[:, None])),  # shocks
        np.zeros((40, 50)),
        np.where(np.arange(50) == 7, np.nan, np.ones((40, 50))),
        np.sin(np.arange(6.0).reshape(2, 3)),
    ],
    ids=["noise", "coarse steps", "shocks", "constant", "holes", "tiny"],
)
def test_rough_data_that_no_order_makes_smooth_pass(array: np.ndarray) -> None:
    check_layout("u", array, ("time", "x"), "a.npz")


@pytest.mark.parametrize("cells", [2, 5, 7, 20])
def test_waves_that_move_by_whole_cells_pass(cells: int) -> None:
    """In NX + cells snapshots, read as rows of that length, such a wave would stand still along one axis."""
    place = (np.arange(NX) - cells * np.arange(NX + cells)[:, None]) * 2 * np.pi / NX
    check_layout("u", np.sin(place) + 0.5 * np.cos(3 * place), ("time", "x"), "a.npz")


def test_runs_may_differ_as_they_like() -> None:
    runs = np.stack([three_modes() * factor for factor in (1.0, -3.0, 0.1, 8.0)])
    check_layout("u", runs, ("run", "time", "x"), "a.npz")
    check_layout("u", runs.transpose(2, 0, 1), ("x", "run", "time"), "a.npz")
