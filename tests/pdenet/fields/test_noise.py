from __future__ import annotations

import time

import numpy as np
import pytest

from pdenet.fields.field import Field
from pdenet.fields.noise import estimate_noise, noise_by_run


def make(values: np.ndarray) -> Field:
    n_dims = values.ndim - 3
    names = ("u", "v")[: values.shape[2]]
    return Field(values=values, dt=0.1, dx=(0.1,) * n_dims, names=names, boundary=("none",) * n_dims)


def soliton() -> np.ndarray:
    """The exact soliton of u_t = -6 u u_x - u_xxx with speed 1, 256 x 101."""
    x, t = np.linspace(-15, 15, 256, endpoint=False), np.linspace(0, 10, 101)[:, None]
    return (0.5 / np.cosh(0.5 * (x + 5 - t)) ** 2)[None, :, None]


def front() -> np.ndarray:
    """The travelling front of u_t = -u u_x + 0.1 u_xx between walls, 101 x 201."""
    x, t = np.linspace(-4, 6, 201), np.linspace(0, 4, 101)[:, None]
    return (0.5 - 0.5 * np.tanh((x - 0.5 * t) / 0.4))[None, :, None]


def planes() -> np.ndarray:
    """28 runs x 10 snapshots of two fields on 32 x 32 points, waves with |k| <= 4 that move and decay."""
    generator = np.random.default_rng(3)
    axis, t = 2 * np.pi * np.arange(32) / 32, 0.01 * np.arange(10)
    values = np.zeros((28, 10, 2, 32, 32))
    for k, m in ((0, 1), (1, 0), (1, 1), (2, -1), (3, 2), (4, 4)):
        amplitude, phase = generator.standard_normal((2, 28, 1, 2, 1, 1))
        moving = k * axis[:, None] + m * axis + 3 * phase - t[:, None, None, None]
        values += amplitude * np.cos(moving) * np.exp(-0.05 * (k * k + m * m) * t)[:, None, None, None]
    return values


CASES = {"soliton": soliton(), "front": front(), "planes": planes()}


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("case", CASES)
def test_white_noise_is_measured(case: str, share: float) -> None:
    clean = CASES[case]
    spread = clean.std(axis=(0, 1, *range(3, clean.ndim)), keepdims=True)
    noise = share * spread * np.random.default_rng(1).standard_normal(clean.shape)
    found = estimate_noise(make(clean + noise))
    # the promise is 15 %; medians of 20 000 values and more scatter by 1 %
    np.testing.assert_allclose(found, share * spread.ravel(), rtol=0.15)


@pytest.mark.parametrize("case", CASES)
def test_clean_data_have_none(case: str) -> None:
    # resolved waves fall below 1e-6 of the spread after ten differences; coarser data would not
    assert estimate_noise(make(CASES[case])).max() < 1e-6 * CASES[case].std()


def test_noise_that_differs_between_runs_is_averaged_in_squares() -> None:
    clean = CASES["planes"]
    sigma = np.linspace(0.01, 0.2, 28)
    noisy = clean + sigma[:, None, None, None, None] * np.random.default_rng(2).standard_normal(clean.shape)
    # 28 medians of 10 240 values
    np.testing.assert_allclose(estimate_noise(make(noisy)), np.sqrt(np.mean(sigma**2)), rtol=0.05)


@pytest.mark.parametrize("shape", [(1, 3, 1, 64), (4, 3, 1, 16, 16), (1, 40, 1, 7), (1, 5, 1, 6, 6, 6)])
def test_small_fields_are_measured(shape: tuple[int, ...]) -> None:
    noise = 0.1 * np.random.default_rng(4).standard_normal(shape)
    # some 200 to 1 000 values: their median scatters by up to 10 %, and the smallest of several is low
    np.testing.assert_allclose(estimate_noise(make(noise)), 0.1, rtol=0.35)


def test_units_are_those_of_the_data() -> None:
    values = CASES["front"] + 0.01 * np.random.default_rng(5).standard_normal(CASES["front"].shape)
    # scaling commutes with every step but rounding
    np.testing.assert_allclose(estimate_noise(make(1e6 * values)), 1e6 * estimate_noise(make(values)), rtol=1e-9)


def test_constant_data_and_single_points_have_no_noise() -> None:
    assert estimate_noise(make(np.ones((2, 5, 2, 8)))).tolist() == [0.0, 0.0]
    assert estimate_noise(make(np.ones((1, 2, 1, 2)))).tolist() == [0.0]


def test_the_size_of_planes_takes_under_a_second() -> None:
    field = make(CASES["planes"])
    begun = time.process_time()
    estimate_noise(field)
    assert time.process_time() - begun < 1.0


def test_large_fields_are_measured_on_a_block() -> None:
    noise = 0.1 * np.random.default_rng(6).standard_normal((1, 40, 1, 400, 400))
    begun = time.process_time()
    # a block of 1.6 million values: 0.1 % scatter
    np.testing.assert_allclose(estimate_noise(make(noise)), 0.1, rtol=0.02)
    assert time.process_time() - begun < 2.0


def test_runs_are_measured_apart() -> None:
    clean = CASES["planes"]
    sigma = np.linspace(0.01, 0.2, 28)
    noisy = clean + sigma[:, None, None, None, None] * np.random.default_rng(2).standard_normal(clean.shape)
    found = noise_by_run(make(noisy))
    # low orders leave about 4 000 independent values a run, whose median scatters by 2 %: four of these
    np.testing.assert_allclose(found, np.repeat(sigma[:, None], 2, axis=1), rtol=0.08)
    assert abs(np.mean(found / sigma[:, None]) - 1.0) < 0.01  # and no bias beyond the mean's own scatter
