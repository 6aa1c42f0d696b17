"""The spectral solver against closed forms, an outside integrator and itself on finer grids."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.fft import irfft, rfft
from scipy.integrate import solve_ivp
from scipy.special import ive

from backbone.errors import Diverged, InputError, UsageError
from pdenet.equations.expression import parse_system
from pdenet.simulation.catalogue import CATALOGUE
from pdenet.simulation.spectral import Solution, solve, solve_system

TWO_PI = 2 * math.pi


def circle(n: int, length: float = TWO_PI) -> np.ndarray:
    return length * np.arange(n) / n


def solved(text: str, initial: np.ndarray, times: list[float], length: float = TWO_PI, **options: float) -> Solution:
    """One system from "run channel *space" values on a cube."""
    n_dims = initial.ndim - 2
    return solve_system(parse_system(text, n_dims), initial, lengths=(length,) * n_dims, times=times, **options)


@pytest.mark.parametrize("n_dims", [1, 2, 3])
def test_heat_and_convection_are_exact(n_dims: int) -> None:
    """Every mode is exact: u = e^{-nu |k|^2 t} cos(k (x - a t)), a along the last axis."""
    grids = np.meshgrid(*[circle(n) for n in (6, 8, 10)[:n_dims]], indexing="ij")
    phase = sum((k + 1) * x for k, x in enumerate(grids))
    size = sum((k + 1) ** 2 for k in range(n_dims))
    solution = solved("u_t = -0.8*u_x + 0.1*lap(u)", np.cos(phase)[None, None], [0.0, 0.3, 1.0])
    for k, t in enumerate((0.0, 0.3, 1.0)):
        exact = math.exp(-0.1 * size * t) * np.cos(phase - 0.8 * n_dims * t)
        np.testing.assert_allclose(solution.values[0, k, 0], exact, rtol=0, atol=1e-13)  # rounding of the transforms


def cole_hopf(x: np.ndarray, t: float, nu: float) -> np.ndarray:
    """u_t = -u u_x + nu u_xx from u = sin x: u = -2 nu phi_x / phi, phi the heat flow from exp(cos(x) / (2 nu)), whose
    Fourier coefficients are modified Bessel functions."""
    z = 1 / (2 * nu)
    k = np.arange(1, 80)[:, None]
    weights = 2 * ive(k, z) * np.exp(-nu * k**2 * t)
    phi = ive(0, z) + (weights * np.cos(k * x)).sum(axis=0)
    return 2 * nu * (weights * k * np.sin(k * x)).sum(axis=0) / phi


def test_burgers_against_cole_hopf() -> None:
    x, nu = circle(64), 0.05
    solution = solved(f"u_t = -u*u_x + {nu}*u_xx", np.sin(x)[None, None], [0.0, 0.5, 1.0, 1.5], tolerance=1e-9)
    for k, t in enumerate((0.0, 0.5, 1.0, 1.5)):
        # three intervals of 1e-9, and energy 1e-11 at the grid limit: amplitudes of 3e-6 cut off at most
        np.testing.assert_allclose(solution.values[0, k, 0], cole_hopf(x, t, nu), rtol=0, atol=3e-6)
    assert solution.refinement > 1  # the front needs more than 64 points, and gets them


def test_korteweg_de_vries_soliton() -> None:
    x, speed, length = circle(128, 40.0), 2.0, 40.0

    def soliton(t: float) -> np.ndarray:
        distance = (x - 10 - speed * t + length / 2) % length - length / 2
        return speed / 2 / np.cosh(math.sqrt(speed) / 2 * distance) ** 2

    solution = solved("u_t = -6*u*u_x - u_xxx", soliton(0)[None, None], [0.0, 1.0, 2.0], length)
    # two intervals of 1e-8 in the l2 norm; the periodic tails differ by e^-28
    np.testing.assert_allclose(solution.values[0, -1, 0], soliton(2.0), rtol=0, atol=1e-7)


def test_taylor_green_vortex() -> None:
    """(w, u, v) = (2 cos x cos y, -cos x sin y, sin x cos y) e^{-2 nu t} solves Navier-Stokes."""
    y, x = np.meshgrid(circle(16), circle(16), indexing="ij")
    row = CATALOGUE["navier-stokes"]
    system = parse_system(row.text, 2, {"nu": 0.1})
    w = 2 * np.cos(x) * np.cos(y)
    solution = solve_system(
        system, w[None, None], lengths=(TWO_PI, TWO_PI), times=[0.0, 0.7], also=row.also, tolerance=1e-10
    )
    decay = math.exp(-0.14)
    expected = decay * np.stack([w, -np.cos(x) * np.sin(y), np.sin(x) * np.cos(y)])
    np.testing.assert_allclose(solution.values[0, 1], expected, rtol=0, atol=1e-10)  # the tolerance in time


def test_explicit_coordinates_and_time() -> None:
    x = circle(16)
    solution = solved("u_t = sin(x)*cos(t)", np.zeros((1, 1, 16)), [0.0, 1.0, 2.0], tolerance=1e-10)
    for k, t in enumerate((0.0, 1.0, 2.0)):
        np.testing.assert_allclose(solution.values[0, k, 0], np.sin(x) * math.sin(t), rtol=0, atol=1e-9)


def test_functions_and_quotients_against_an_ode() -> None:
    """Without derivatives every point is an ordinary equation; the fields stay smooth."""
    u0 = 1.5 + 0.2 * np.cos(circle(32))
    solution = solved("u_t = exp(-u)/(1 + u**2) - sqrt(u) + tanh(u)*log(u)", u0[None, None], [0.0, 0.5])

    def rate(t: float, u: np.ndarray) -> np.ndarray:
        return np.exp(-u) / (1 + u**2) - np.sqrt(u) + np.tanh(u) * np.log(u)

    reference = solve_ivp(rate, (0, 0.5), u0, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(solution.values[0, 1, 0], reference, rtol=0, atol=2e-8)  # tolerance 1e-8 of |u| < 2


@pytest.mark.parametrize(("name", "n"), [("ks", 32), ("lambda-omega", 48), ("fitzhugh-nagumo", 48), ("allen-cahn", 48)])
def test_catalogue_against_an_outside_integrator(name: str, n: int) -> None:
    """SciPy's DOP853 on Fourier collocation of the same equation in one dimension, written out by hand here."""
    length = 12.0
    k = 2 * math.pi / length * np.arange(n // 2 + 1)

    def derivative(u: np.ndarray, order: int) -> np.ndarray:
        return irfft((1j * k) ** order * rfft(u), n)

    def rates(t: float, state: np.ndarray) -> np.ndarray:
        u, v = state.reshape(2, n)
        square = u**2 + v**2
        match name:
            case "ks":
                rows = -u * derivative(u, 1) - derivative(u, 2) - derivative(u, 4), 0 * v
            case "allen-cahn":
                rows = 0.05 * derivative(u, 2) + u - u**3, 0 * v
            case "lambda-omega":
                rows = (
                    0.1 * derivative(u, 2) + (1 - square) * u + square * v,
                    0.1 * derivative(v, 2) - square * u + (1 - square) * v,
                )
            case _:
                rows = 0.1 * derivative(u, 2) + u - u**3 - v + 0.01, 0.2 * derivative(v, 2) + 0.5 * (u - v)
        return np.concatenate(rows)

    x = circle(n, length)
    start = np.stack([0.5 * np.cos(2 * math.pi * x / length), 0.3 * np.sin(4 * math.pi * x / length + 1)])
    reference = (
        solve_ivp(rates, (0, 1.0), start.ravel(), method="DOP853", rtol=1e-11, atol=1e-11).y[:, -1].reshape(2, n)
    )
    row = CATALOGUE[name]
    system = parse_system(row.text, 1, row.parameters)
    n_channels = len(system.variables)
    solution = solve_system(system, start[None, :n_channels], lengths=(length,), times=[0.0, 0.5, 1.0])
    # two intervals of 1e-8; collocation aliases what n points cannot hold, below 1e-8 of these smooth waves
    np.testing.assert_allclose(solution.values[0, -1], reference[:n_channels], rtol=0, atol=1e-7)


@pytest.mark.parametrize("name", ["burgers2d", "navier-stokes", "kdv"])
def test_self_convergence(name: str) -> None:
    """Half the tolerance in time and four times the points change nothing but the stated errors."""
    row = CATALOGUE[name]
    n_dims = len(row.grid)
    system = parse_system(row.text, n_dims, row.parameters)
    generator = np.random.default_rng(0)
    grids = {n: np.meshgrid(*[circle(n)] * n_dims, indexing="ij") for n in (16, 64)}
    waves = generator.integers(0, 3, (len(system.variables), 4, n_dims))
    phases = generator.uniform(0, TWO_PI, (len(system.variables), 4))

    def start(n: int) -> np.ndarray:
        angle = np.einsum("cwd,d...->cw...", waves, np.stack(grids[n]))
        return np.cos(angle + phases.reshape(*phases.shape, *(1,) * n_dims)).mean(axis=1)[None]

    lengths, times = (TWO_PI,) * n_dims, [0.0, 0.05, 0.1]
    coarse = solve_system(system, start(16), lengths=lengths, times=times, tolerance=1e-8)
    fine = solve_system(system, start(64), lengths=lengths, times=times, tolerance=1e-11)
    every = (..., *(slice(None, None, 4),) * n_dims)
    # energy 1e-10 at the grid limit: amplitudes of 1e-5 cut off, and as much again by the products of them
    np.testing.assert_allclose(coarse.values, fine.values[every], rtol=0, atol=3e-5)
    assert np.abs(fine.values[:, 2] - fine.values[:, 0]).max() > 3e-3  # something happens


def test_quadratic_products_are_free_of_aliasing() -> None:
    """A short time of u_t = u*u from the highest resolved wave: of its square only the mean has a place on the grid."""
    x = circle(16)
    u0 = 1e-3 * np.cos(7 * x)  # cos^2(7x) = (1 + cos(14 x)) / 2 and 14 aliases to 2 on 16 points
    solution = solved("u_t = u**2", u0[None, None], [0.0, 1e-3])
    change = rfft(solution.values[0, 1, 0] - u0) / 16
    assert abs(change[0] - 0.5e-9) < 1e-14  # t u^2 / 2, up to its own square and the rounding of u
    assert abs(change[2]) < 1e-18  # rounding of 1e-3 over 16 points


def test_wave_equation_and_runs_together() -> None:
    """A linear system that is not diagonal; each run of a batch as if alone, whatever its size."""
    x = circle(16)
    start = np.stack([[np.cos(x), 0 * x], [1e-3 * np.sin(2 * x), 0 * x]])
    solution = solved("u_t = v; v_t = 4*u_xx", start, [0.0, 0.25, 0.5])
    exact = np.stack([np.cos(x) * math.cos(1.0), 1e-3 * np.sin(2 * x) * math.cos(2.0)])
    np.testing.assert_allclose(solution.values[0, 2, 0], exact[0], rtol=0, atol=1e-7)  # 1e-8 an interval, |v| = 2 |u|
    np.testing.assert_allclose(solution.values[1, 2, 0], exact[1], rtol=0, atol=1e-10)


def test_channels_keep_the_callers_order() -> None:
    x = circle(16)
    start = np.stack([np.cos(x), np.sin(x)])[None]
    values = solve(["v_t = 0.2*v_xx", "u_t = 0.1*u_xx"], start, lengths=[TWO_PI], names=["u", "v"], times=[0.0, 1.0])
    expected = [math.exp(-0.1) * np.cos(x), math.exp(-0.2) * np.sin(x)]
    np.testing.assert_allclose(values[0, 1], expected, rtol=0, atol=1e-13)
    with pytest.raises(UsageError, match="channels u for equations of u, v"):
        solve(["u_t = v", "v_t = u"], start[:, :1], lengths=[TWO_PI], names=["u"], times=[0.0, 1.0])
    with pytest.raises(InputError, match="NaN"):
        solve(["u_t = u"], np.full((1, 1, 8), np.nan), lengths=[TWO_PI], names=["u"], times=[0.0, 1.0])


@pytest.mark.parametrize(
    "text",
    ["u_t = -0.1*u_xx", "u_t = u_xxxx", "u_t = 0.1*u_xx - 0.2*u_yy", "u_t = v_xx; v_t = u_xx"],
)
def test_ill_posed_equations_are_refused(text: str) -> None:
    n_dims = 2 if "y" in text else 1
    start = np.zeros((1, text.count("="), *(8,) * n_dims))
    with pytest.raises(UsageError, match="ill-posed: short waves grow without bound"):
        solved(text, start, [0.0, 1.0])


@pytest.mark.parametrize(
    "text", ["u_t = u", "u_t = -u_xx - u_xxxx", "u_t = u_xxx", "u_t = v; v_t = u_xx", "u_t = -v_xx; v_t = u_xx"]
)
def test_growth_that_is_bounded_is_not(text: str) -> None:
    solution = solved(text, np.zeros((1, text.count("="), 8)), [0.0, 0.1])
    assert not solution.values.any()


def test_blow_up_is_reported_with_its_time() -> None:
    with pytest.raises(Diverged) as caught:
        solved("u_t = u**2", np.full((1, 1, 4), 2.0), [0.0, 0.2, 0.4, 0.6], tolerance=1e-4)
    assert abs(caught.value.t - 0.5) < 1e-3  # u = 2 / (1 - 2 t)


def test_single_precision_and_its_device() -> None:
    x = circle(32)
    single = solved("u_t = -u*u_x + 0.1*u_xx", np.sin(x)[None, None], [0.0, 0.1], tolerance=1e-5, dtype=torch.float32)
    double = solved("u_t = -u*u_x + 0.1*u_xx", np.sin(x)[None, None], [0.0, 0.1])
    np.testing.assert_allclose(single.values, double.values, rtol=0, atol=2e-5)  # tolerance, and 100 single roundings
