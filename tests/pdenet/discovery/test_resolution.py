"""The window and the cutoffs follow what the data hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backbone.errors import InputError
from pdenet.discovery.collocation import PeriodicAxis
from pdenet.discovery.resolution import choose_collocation, seen_wave_numbers
from pdenet.fields.field import Field


def cutoffs(field: Field, noise: float) -> tuple[int, ...]:
    collocation = choose_collocation(field, np.full((field.n_runs, 1), noise), max_order=2, degree=2)
    return tuple(axis.cutoff for axis in collocation.axes if isinstance(axis, PeriodicAxis))


def test_cutoff_is_the_last_mode_that_moves(heat: Field) -> None:
    assert cutoffs(heat, 0.0) == (4,)


def test_noise_hides_the_faint_modes_but_not_the_strong_ones() -> None:
    generator = np.random.default_rng(0)
    x, t = 2 * np.pi * np.arange(64) / 64, 0.05 * np.arange(30)
    faint = 1e-4 * np.cos(12 * (x - t[:, None]))
    strong = sum(np.cos(k * (x - t[:, None])) for k in range(1, 6))
    clean = Field(values=(strong + faint)[None, :, None], dt=0.05, dx=(x[1],), names=("u",), boundary=("periodic",))
    noisy = replace(clean, values=clean.values + 0.01 * generator.standard_normal(clean.values.shape))
    assert cutoffs(clean, 0.0)[0] >= 5
    assert 5 <= cutoffs(noisy, 0.01)[0] <= 8


def test_more_noise_asks_for_a_lower_degree(heat: Field) -> None:
    clean = choose_collocation(heat, np.zeros((3, 1)), max_order=2, degree=2).window
    noisy = replace(heat, values=heat.values + 0.01 * np.random.default_rng(1).standard_normal(heat.values.shape))
    rough = choose_collocation(noisy, np.full((3, 1), 0.01), max_order=2, degree=2).window
    assert clean.degree > rough.degree
    assert rough.degree + 1 < rough.width


def test_two_snapshots_are_too_few(heat: Field) -> None:
    with pytest.raises(InputError, match="at least 3"):
        choose_collocation(heat.select(times=slice(0, 2)), np.zeros((3, 1)), max_order=2, degree=2)


def test_noise_of_the_runs_looked_at_is_no_truncation(heat: Field) -> None:
    # one run ten times as noisy as the others: an average over runs would read the rest of its noise as truncation
    level = np.array([0.001, 0.001, 0.02])
    shaken = np.random.default_rng(2).standard_normal(heat.values.shape) * level[:, None, None, None]
    noisy = replace(heat, values=heat.values + shaken)
    assert choose_collocation(noisy, level[:, None], max_order=2, degree=2).window.degree <= 3


@pytest.mark.parametrize(("decay", "last"), [(0.25, 64), (0.4, 64), (0.25, 5)])
def test_a_roll_out_carries_what_noise_hides_of_a_spectrum_that_goes_on(decay: float, last: int) -> None:
    n, noise = 256, 0.01
    k, phases = np.arange(1, last + 1), np.random.default_rng(3).uniform(0, 2 * np.pi, (40, last))
    amplitudes = np.exp(-decay * k)
    waves = np.cos(2 * np.pi * k * np.arange(n)[:, None] / n + phases[:, None])
    values = waves @ amplitudes + noise * np.random.default_rng(4).standard_normal((40, n))
    field = Field(values=values[None, :, None], dt=0.1, dx=(1 / n,), names=("u",), boundary=("periodic",))
    (carried,) = seen_wave_numbers(field, np.array([[noise]]))
    chance = 0.03 + 4.0 / np.sqrt(40)
    hidden = amplitudes**2 * n / (4 * noise**2) < chance  # power over that of noise, in one wave number
    if last == 5:  # the spectrum ends before noise hides it: little is to be carried beyond
        assert not hidden.any()
        assert carried <= 7
    else:
        beyond = (carried - int(k[hidden][0])) / (np.log(100) / (2 * decay))
        assert 0.7 <= beyond <= 1.3  # of the way on which the power falls a hundredfold
