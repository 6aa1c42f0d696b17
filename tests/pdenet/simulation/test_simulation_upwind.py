"""PDE-Net's Burgers generator: its formula written out, its order, its two halves, its limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from backbone.errors import Diverged
from pdenet.simulation.spectral import solve
from pdenet.simulation.upwind_burgers import UpwindBurgers, solve_upwind_burgers, upwind_step

TWO_PI = 2 * math.pi
BURGERS = ["u_t = -u*u_x - v*u_y + 0.05*lap(u)", "v_t = -u*v_x - v*v_y + 0.05*lap(v)"]


def smooth(n: int) -> np.ndarray:
    """One run of speeds of both signs, "1 channel y x"."""
    y, x = np.meshgrid(*[TWO_PI * np.arange(n) / n] * 2, indexing="ij")
    return np.stack([np.sin(x + y) + 0.3 * np.cos(2 * y), np.cos(x) * np.sin(2 * y) - 0.2])[None]


def test_rates_are_the_formula() -> None:
    """-speed * (one-sided derivative against it) per axis, and the five-point Laplacian, by shifts of the array."""
    y = np.random.default_rng(0).standard_normal((3, 2, 8, 10))
    dx, nu = 0.3, 0.05

    def at(shift: int, axis: int) -> np.ndarray:
        return np.roll(y, -shift, axis=axis)

    rates = np.zeros_like(y)
    for axis, speed in ((3, y[:, :1]), (2, y[:, 1:])):
        backward = (3 * y - 4 * at(-1, axis) + at(-2, axis)) / (2 * dx)
        forward = (-3 * y + 4 * at(1, axis) - at(2, axis)) / (2 * dx)
        rates -= speed * np.where(speed > 0, backward, forward)
        rates += nu / dx**2 * (at(1, axis) - 2 * y + at(-1, axis))
    field = UpwindBurgers(y.shape, dx, nu, device=torch.device("cpu"), dtype=torch.float64)
    for _ in range(2):  # the work space holds nothing over
        got = field(0.0, torch.from_numpy(y)).numpy()
        np.testing.assert_allclose(got, rates, rtol=0, atol=1e-13)  # a dozen roundings of values near 30


def test_second_order_in_space_towards_the_equation() -> None:
    """Against the spectral solution of the PDE: a quarter of the error on twice the points."""
    times = [0.0, 0.1]
    errors = []
    for n in (64, 128):
        exact = solve(BURGERS, smooth(n), lengths=[TWO_PI] * 2, names=["u", "v"], times=times)[:, 1, :, ::4, ::4]
        ours = solve_upwind_burgers(smooth(n), length=TWO_PI, times=times, nu=0.05, burn_in=0.0)[:, 1]
        errors.append(np.sqrt(np.mean((ours - exact) ** 2)))
    # measured 1.93 here and 1.98 at the next halving; the one-sided stencils switch where a speed changes sign
    assert 1.8 < math.log2(errors[0] / errors[1]) < 2.2
    assert errors[1] < 2e-4  # measured 1.3e-4 of speeds up to 1.3


def test_only_the_first_half_is_advanced_before() -> None:
    start = np.concatenate([smooth(16)] * 3)
    times = [0.0, 0.01, 0.02]
    values = solve_upwind_burgers(start, length=TWO_PI, times=times, nu=0.05, burn_in=0.01)
    assert values.shape == (3, 3, 2, 4, 4)
    np.testing.assert_array_equal(values[1:, 0], start[1:, :, ::4, ::4])
    np.testing.assert_array_equal(values[1], values[2])
    # one interval earlier; the clock reads differently, so steps may round differently
    np.testing.assert_allclose(values[0, :2], values[1, 1:], rtol=0, atol=1e-14)


def test_mean_square_never_grows() -> None:
    """Diffusion and upwinding both take energy from a flow without mean compression: u along y, constant in x."""
    y = TWO_PI * np.arange(32) / 32
    start = np.zeros((2, 2, 32, 32))
    start[:, 0], start[:, 1] = np.sin(3 * y)[:, None], 0.7
    values = solve_upwind_burgers(start, length=TWO_PI, times=[0.0, 0.1, 0.2], nu=0.05, burn_in=0.0)
    energy = (values[:, :, 0] ** 2).sum(axis=(2, 3))
    assert (np.diff(energy) < 0).all()
    np.testing.assert_allclose(values[:, :, 1], 0.7, rtol=1e-14)  # a constant speed stays: differences are exactly 0


@pytest.mark.parametrize(("span", "step"), [(0.01, 1 / 1600), (1.0, 1 / 1600), (0.001, 0.0005), (0.0001, 0.0001)])
def test_steps_divide_the_interval(span: float, step: float) -> None:
    assert upwind_step(span) == pytest.approx(step, rel=1e-12)  # rounding of span / n


def test_too_fast_for_the_step_diverges() -> None:
    with pytest.raises(Diverged):
        solve_upwind_burgers(3e3 * smooth(16), length=TWO_PI, times=[0.0, 0.1], nu=0.05, burn_in=0.0)
