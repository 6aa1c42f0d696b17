"""Initial fields and noise: what is promised about size, spectrum, grid and random streams."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backbone.errors import UsageError
from pdenet.simulation.initial import Start, initial_fields, parse_initial
from pdenet.simulation.noise import add_noise, noise_scale


def drawn(text: str, start: Start, seed: int = 0) -> np.ndarray:
    return initial_fields(text, start, np.random.default_rng(seed))


@pytest.mark.parametrize("n_dims", [1, 2, 3])
def test_random_modes_are_band_limited_and_scaled(n_dims: int) -> None:
    start = Start(3, 2, (24,) * n_dims, (1.0,) * n_dims)
    fields = drawn("random:modes=3,amplitude=2", start)
    spectrum = np.abs(np.fft.fftn(fields, axes=range(2, 2 + n_dims), norm="forward"))
    waves = np.abs(np.fft.fftfreq(24, 1 / 24))
    for axis in range(n_dims):
        assert np.moveaxis(spectrum, 2 + axis, 0)[waves > 3].max() < 1e-15  # rounding
        assert np.moveaxis(spectrum, 2 + axis, 0)[waves == 3].max() > 1e-3
    largest = np.abs(fields).reshape(3, 2, -1).max(axis=-1)
    # the largest value is taken on 16 points a wave, here are 8: cos(pi / 8) of it at least, in every direction
    assert (largest <= 2.1).all()
    assert (largest > 2 * math.cos(math.pi / 8) ** n_dims).all()


def test_waves_do_not_depend_on_grid_or_number_of_runs() -> None:
    fine = drawn("random:modes=4,offset=1", Start(3, 2, (40, 48), (1.0, 1.0)))
    coarse = drawn("random:modes=4,offset=1", Start(3, 2, (20, 24), (7.0, 2.0)))
    np.testing.assert_allclose(fine[..., ::2, ::2], coarse, rtol=0, atol=1e-13)  # rounding of the phases
    few = drawn("random:modes=4", Start(2, 2, (20, 24), (1.0, 1.0)))
    many = drawn("random:modes=4", Start(5, 2, (20, 24), (1.0, 1.0)))
    np.testing.assert_allclose(many[:2], few, rtol=0, atol=1e-14)


def test_offset_is_uniform() -> None:
    start = Start(2000, 1, (10,), (1.0,))
    with_offset = drawn("random:modes=4,amplitude=2,offset=2", start)
    without = drawn("random:modes=4,amplitude=2", start)
    offsets = (with_offset - without)[:, 0, 0]
    assert np.abs(offsets).max() <= 2
    # uniform on [-2, 2]: mean 0 +- 4 sigma of 2000 draws, standard deviation 2 / sqrt 3 likewise
    assert abs(offsets.mean()) < 4 * 1.155 / math.sqrt(2000)
    assert abs(offsets.std() - 1.155) < 4 * 1.155 / math.sqrt(2 * 2000)


def test_solitons_spiral_and_sine() -> None:
    wave = drawn("solitons:fast=4,slow=1", Start(2, 1, (512,), (40.0,)))
    # the integral of c/2 sech^2(sqrt(c)/2 x) is 2 sqrt(c): 4 and 2; tails beyond two periods are e^-80
    np.testing.assert_allclose(wave.mean(axis=2) * 40, [[6.0], [6.0]], rtol=1e-12)
    assert abs(wave[0, 0].argmax() - 128) <= 1
    spiral = drawn("spiral", Start(2, 2, (32, 32), (20.0, 20.0)))
    assert spiral.shape == (2, 2, 32, 32)
    np.testing.assert_allclose(spiral[0, :, 16, 16], 0.0, atol=1e-15)
    assert ((spiral**2).sum(axis=1) <= 1).all()
    assert not np.array_equal(spiral[0], spiral[1])
    sine = drawn("sine:waves=2,amplitude=3", Start(1, 1, (16,), (5.0,)))
    np.testing.assert_allclose(sine[0, 0], 3 * np.sin(4 * math.pi * np.arange(16) / 16), atol=1e-14)


@pytest.mark.parametrize(
    "text",
    [
        "rnd",
        "random:modes=x",
        "random:mode=4",
        "random:modes=0",
        "random:modes=2.5",
        "random:offset=inf",
        "random:modes=9",
    ],
)
def test_wrong_words_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        drawn(text, Start(1, 1, (16,), (1.0,)))


@pytest.mark.parametrize(("text", "shape"), [("solitons", (8, 8)), ("spiral", (8,)), ("spiral", (8, 8))])
def test_fields_that_need_another_box(text: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError):
        drawn(text, Start(1, 1, shape, (1.0,) * len(shape)))


def test_settings_are_read() -> None:
    assert parse_initial("random:modes=4,amplitude=2.5") == ("random", {"modes": 4.0, "amplitude": 2.5})
    assert parse_initial("spiral") == ("spiral", {})


def test_noise_definitions() -> None:
    generator = np.random.default_rng(1)
    values = generator.standard_normal((3, 5, 2, 6, 7)) * np.array([1.0, 10.0])[:, None, None] + 4.0
    values[:, 1:] *= 3
    sample, whole = noise_scale(values, "sample"), noise_scale(values, "set")
    for run in range(3):
        for channel in range(2):
            assert sample[run, channel] == pytest.approx(np.std(values[run, 0, channel]), rel=1e-12)
            assert whole[run, channel] == pytest.approx(np.std(values[:, :, channel]), rel=1e-12)


@pytest.mark.parametrize("definition", ["sample", "set"])
def test_noise_has_the_size_asked_for(definition: str) -> None:
    clean = np.random.default_rng(1).standard_normal((2, 4, 2, 50, 50)) * np.array([1.0, 5.0])[:, None, None]
    noisy = add_noise(clean, 0.1, definition, np.random.default_rng(2))
    found = (noisy - clean).std(axis=(1, 3, 4))
    # 10000 draws a run and channel: the standard deviation is known to 1/sqrt(20000), five times that allowed
    np.testing.assert_allclose(found, 0.1 * noise_scale(clean, definition), rtol=0.035)
    assert add_noise(clean, 0.0, definition, np.random.default_rng(2)) is clean
