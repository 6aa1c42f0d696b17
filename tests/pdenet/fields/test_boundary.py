from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pdenet.fields.boundary import repeats_end_point, settle_boundaries, wrap_ratio
from pdenet.fields.field import Field

T = 0.02 * np.arange(15)


def field(values: np.ndarray) -> Field:
    n_dims = values.ndim - 3
    return Field(values=values, dt=1.0, dx=(1.0,) * n_dims, names=("u",), boundary=("none",) * n_dims)


def judged(values: np.ndarray) -> tuple[str, ...]:
    return settle_boundaries(field(values), None, lambda text: None).boundary


def modes(x: np.ndarray, noise: float = 0.0, n_runs: int = 3) -> np.ndarray:
    """Random waves with |k| <= 4 of period 2 pi, "run time channel x"."""
    generator = np.random.default_rng(7)
    k = np.arange(1, 5)[:, None, None]
    amplitude, phase = generator.standard_normal((2, n_runs, 4, 1, 1))
    u = (amplitude * np.exp(-0.1 * k**2 * T[:, None]) * np.cos(k * (x - T[:, None]) + 3 * phase)).sum(1)
    return (u + noise * u.std() * generator.standard_normal(u.shape))[:, :, None]


# at 10 % noise, 12 points of a cut wave do not tell any more
@pytest.mark.parametrize(
    ("n", "noise"), [(n, noise) for n in (24, 64, 200) for noise in (0.0, 0.01, 0.1) if n > 24 or noise < 0.1]
)
def test_periods_and_cut_windows_are_told_apart(n: int, noise: float) -> None:
    x = 2 * np.pi * np.arange(n) / n
    assert judged(modes(x, noise)) == ("periodic",)
    assert judged(modes(x[: n // 2], noise)) == ("none",)
    assert judged(modes(x[n // 10 : -n // 10], noise)) == ("none",)


def test_each_axis_is_judged_by_itself() -> None:
    x = 2 * np.pi * np.arange(40) / 40
    plane = np.cos(x)[:, None] * np.sin(2 * x)[:25] + np.sin(x + 1)[:, None]
    values = (plane * np.exp(-T)[:, None, None])[None, :, None]
    assert judged(values) == ("periodic", "none")
    assert judged(values.transpose(0, 1, 2, 4, 3)) == ("none", "periodic")


@pytest.mark.parametrize("shape", [np.sin, np.cos], ids=["fixed ends", "free ends"])
@pytest.mark.parametrize("mode", [1, 3])
def test_walls_are_no_period(shape: Callable[[np.ndarray], np.ndarray], mode: int) -> None:
    """Half waves between walls: equal values or equal slopes at the ends, but not both."""
    x = np.linspace(0, np.pi, 41)
    values = (np.exp(-(mode**2) * T)[:, None] * shape(mode * x))[None, :, None]
    assert judged(values) == ("none",)
    assert not repeats_end_point(values, 0)


@pytest.mark.parametrize("n", [24, 64])
def test_a_repeated_end_point_is_seen(n: int) -> None:
    x = np.linspace(0, 2 * np.pi, n + 1)
    assert repeats_end_point(modes(x), 0)
    assert not repeats_end_point(modes(x[:-1]), 0)
    found = settle_boundaries(field(modes(x)), None, lambda text: None)
    assert (found.space_shape, found.boundary) == ((n,), ("periodic",))
    np.testing.assert_array_equal(found.values, modes(x)[..., :-1])


def test_a_mirror_is_no_repetition() -> None:
    """An even field at cell centres has equal first and last values, but no point twice."""
    x = 2 * np.pi * (np.arange(40) + 0.5) / 40
    values = (np.exp(-T)[:, None] * np.cos(x) + 0.2 * np.exp(-4 * T)[:, None] * np.cos(2 * x))[None, :, None]
    assert np.abs(values[..., 0] - values[..., -1]).max() < 1e-15  # one rounding of a cosine
    assert not repeats_end_point(values, 0)
    assert judged(values) == ("periodic",)


def test_zeros_and_short_axes_have_a_ratio() -> None:
    assert wrap_ratio(np.zeros((1, 4, 1, 20)), 0) == 1.0  # the same rounding on both sides
    assert not repeats_end_point(np.zeros((1, 4, 1, 20)), 0)
    assert not repeats_end_point(np.ones((1, 4, 1, 3)), 0)


def test_one_steep_snapshot_does_not_decide() -> None:
    """The quartile over snapshots: a jump at the wrap in one of 45 snapshots is passed over."""
    x = 2 * np.pi * np.arange(64) / 64
    values = modes(x)
    values[0, 0, 0, :4] += 10.0
    assert judged(values) == ("periodic",)
