"""Small fields with known equations, solved in closed form or by the spectral solver."""

from __future__ import annotations

import numpy as np
import pytest

from pdenet.fields.field import Field


def heat_field(n_runs: int = 3, n_times: int = 12, n: int = 24, diffusion: float = 0.1, modes: int = 4) -> Field:
    """u_t = diffusion * u_xx on [0, 2 pi), the exact Fourier solution of random modes."""
    generator = np.random.default_rng(3)
    x = 2 * np.pi * np.arange(n) / n
    t = 0.02 * np.arange(n_times)
    k = np.arange(1, modes + 1)
    amplitudes = generator.standard_normal((n_runs, 1, modes)) * np.exp(-diffusion * k**2 * t[:, None])
    phases = generator.uniform(0, 2 * np.pi, (n_runs, modes))
    waves = np.cos(k[:, None] * x + phases[..., None])
    values = np.einsum("rtk,rkx->rtx", amplitudes, waves)[:, :, None]
    return Field(values=values, dt=0.02, dx=(2 * np.pi / n,), names=("u",), boundary=("periodic",))


def advection_field(n_runs: int = 2, n_times: int = 12, n: int = 16, noise: float = 0.0) -> Field:
    """u_t = -0.8 u_x - 0.5 u_y + 0.1 (u_xx + u_yy) on [0, 2 pi)^2, exact."""
    generator = np.random.default_rng(4)
    axis = 2 * np.pi * np.arange(n) / n
    t = (0.02 * np.arange(n_times))[:, None, None]
    values = np.zeros((n_runs, n_times, 1, n, n))
    for run in range(n_runs):
        for kx in range(4):
            for ky in range(-3, 4):
                amplitude, phase = generator.standard_normal(), generator.uniform(0, 2 * np.pi)
                angle = kx * (axis[None, None, :] - 0.8 * t) + ky * (axis[None, :, None] - 0.5 * t) + phase
                values[run, :, 0] += amplitude * np.cos(angle) * np.exp(-0.1 * (kx**2 + ky**2) * t)
    values += noise * values.std() * generator.standard_normal(values.shape)
    return Field(values=values, dt=0.02, dx=(axis[1], axis[1]), names=("u",), boundary=("periodic", "periodic"))


@pytest.fixture(scope="session")
def heat() -> Field:
    return heat_field()


@pytest.fixture(scope="session")
def advection() -> Field:
    return advection_field()


@pytest.fixture(scope="session")
def noisy_advection() -> Field:
    return advection_field(n_runs=8, noise=0.02)


@pytest.fixture(scope="session")
def burgers() -> Field:
    """Six runs of u_t = -u u_x + 0.1 u_xx from random modes, by the spectral solver."""
    from pdenet.simulation.spectral import solve

    generator = np.random.default_rng(5)
    x = 2 * np.pi * np.arange(48) / 48
    k = np.arange(1, 4)
    amplitudes, phases = 0.3 * generator.standard_normal((6, 3)), generator.uniform(0, 2 * np.pi, (6, 3))
    initial = np.einsum("rk,rkx->rx", amplitudes, np.cos(k[:, None] * x + phases[..., None]))[:, None]
    times = (0.02 * np.arange(12)).tolist()
    values = solve(["u_t = -u*u_x + 0.1*u_xx"], initial, lengths=(2 * np.pi,), names=("u",), times=times)
    return Field(values=values, dt=0.02, dx=(2 * np.pi / 48,), names=("u",), boundary=("periodic",))
