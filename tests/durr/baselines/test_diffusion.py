"""Perona-Malik by the integrator: the measured figures of the discrepancy rule, and what the diffusion conserves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from skimage import data

from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Euler
from durr.baselines.diffusion import STEP, Discrepancy, PeronaMalik, diffuse, perona_malik
from durr.metrics import psnr

SIGMAS = (15, 25, 50)


def noisy_cameras() -> Iterator[np.ndarray]:
    """Every second pixel of the camera image, the noise of one generator drawn for one level after another."""
    clean = data.camera()[::2, ::2] / 255
    generator = np.random.default_rng(0)
    for sigma in SIGMAS:
        yield clean + sigma / 255 * generator.standard_normal(clean.shape)


def loops(u: np.ndarray, contrast: float) -> np.ndarray:
    """du/dt written out pixel by pixel, differences to the neighbours there are."""
    change = np.zeros_like(u)
    for i, j in np.ndindex(u.shape):
        for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= k < u.shape[0] and 0 <= m < u.shape[1]:
                slope = u[k, m] - u[i, j]
                change[i, j] += slope / (1 + (slope / contrast) ** 2)
    return change


def test_the_best_step_grows_with_noise_and_running_on_costs_much() -> None:
    clean = data.camera()[::2, ::2] / 255
    batch = torch.from_numpy(np.stack(list(noisy_cameras())))[:, None]
    path = integrate(PeronaMalik(), batch, Grid.uniform(0.0, 120 * STEP, 120), Euler(), save="all").ys.numpy()
    figures = np.array([[psnr(path[k, i, 0], clean, 1.0) for k in range(121)] for i in range(len(SIGMAS))])
    best = figures.max(axis=1)
    assert figures.argmax(axis=1).tolist() == [3, 8, 24]
    np.testing.assert_allclose(best, [29.45, 27.08, 24.20], rtol=0, atol=0.005)  # figures quoted to two digits
    np.testing.assert_allclose(best - figures[:, -1], [8.8, 6.4, 3.5], rtol=0, atol=0.05)  # quoted to one digit


def test_the_discrepancy_rule_stops_each_sample_at_its_own_step() -> None:
    batch = torch.from_numpy(np.stack(list(noisy_cameras())))[:, None]
    stopped = diffuse(batch, torch.tensor(SIGMAS, dtype=batch.dtype) / 255)
    # the grid's times are multiples of the step, up to rounding
    assert (stopped.stopped_at / STEP).round().tolist() == [5, 10, 27]
    for i, noisy in enumerate(noisy_cameras()):
        alone = perona_malik(noisy, SIGMAS[i] / 255)
        np.testing.assert_allclose(alone, stopped.ys[i, 0].numpy(), rtol=0, atol=1e-12)  # rounding of the same sums


def test_the_field_is_that_of_the_four_neighbours() -> None:
    u = np.random.default_rng(0).uniform(size=(5, 7))
    field = PeronaMalik(contrast=0.3).field(0.0, torch.from_numpy(u)[None, None])[0, 0].numpy()
    np.testing.assert_allclose(field, loops(u, 0.3), rtol=0, atol=1e-14)  # float64, sums of four terms


def test_no_flux_crosses_the_border_and_no_extremum_grows() -> None:
    u = torch.rand((2, 3, 9, 6), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    end = integrate(PeronaMalik(), u, Grid.uniform(0.0, 50 * STEP, 50), Euler()).ys
    torch.testing.assert_close(end.mean(dim=(2, 3)), u.mean(dim=(2, 3)), rtol=0, atol=1e-14)  # rounding of means
    assert bool((end.amax(dim=(2, 3)) <= u.amax(dim=(2, 3))).all())
    assert bool((end.amin(dim=(2, 3)) >= u.amin(dim=(2, 3))).all())


def test_the_channels_of_a_colour_image_share_their_edges() -> None:
    generator = torch.Generator().manual_seed(0)
    grey = torch.rand((1, 1, 8, 8), dtype=torch.float64, generator=generator)
    field = PeronaMalik().field
    # three equal channels are a grey image
    torch.testing.assert_close(field(0.0, grey.expand(1, 3, 8, 8)), field(0.0, grey).expand(1, 3, 8, 8))
    # a flat channel beside stays flat
    assert not bool(field(0.0, torch.cat([grey, grey, 0 * grey], dim=1))[:, 2].any())


def test_without_noise_nothing_happens() -> None:
    u = np.random.default_rng(0).uniform(size=(6, 5, 3)).astype(np.float32)
    restored = perona_malik(u, 0.0)
    assert restored.dtype == np.float32
    np.testing.assert_array_equal(restored, u)
    rule = Discrepancy(torch.zeros(2, 1, 2, 2), torch.tensor([0.5, 2.0]))
    assert rule(1.0, torch.ones(2, 1, 2, 2)).tolist() == [True, False]
