"""The rule of the first update on paths whose best step is known."""

from __future__ import annotations

import numpy as np
import torch

from durr.training.first_update import fit_first_update, steps_by_level
from durr.training.patches import NoisyPatches
from durr.training.paths import Paths, record_paths
from durr.unit import RestorationUnit

BEST_FIRST, BEST_SLOPE = 1.5, 20.0


def parabolas(n: int = 400) -> Paths:
    """Losses (k - k*)^2 / 10 with k* = 1.5 + 20 sigma, first updates half of sigma."""
    sigma = torch.linspace(0.0, 0.2, n)
    best = BEST_FIRST + BEST_SLOPE * sigma
    return Paths(sigma, sigma / 2, (torch.arange(10.0) - best[:, None]).square() / 10)


def test_the_fitted_line_is_the_line_of_best_steps() -> None:
    rule = fit_first_update(parabolas(), most=9)
    for sigma in (0.01, 0.1, 0.19):
        steps = float(rule.steps(torch.tensor([sigma / 2])))
        # between whole steps the loss is a chord, so the minimum is known to half a step; the mean line is closer
        assert abs(steps - (BEST_FIRST + BEST_SLOPE * sigma)) < 0.3


def test_the_loss_between_two_steps_is_a_straight_line() -> None:
    paths = Paths(torch.zeros(2), torch.zeros(2), torch.tensor([[4.0, 2.0, 1.0], [0.0, -2.0, 8.0]]))
    assert paths.loss_at(torch.tensor([0.5, 1.25])).tolist() == [3.0, 0.5]
    assert paths.loss_at(torch.tensor([-1.0, 7.0])).tolist() == [4.0, 8.0]


def test_the_steps_by_level_rise_with_the_noise() -> None:
    paths = parabolas()
    levels = steps_by_level(fit_first_update(paths, most=9), paths, torch.linspace(0.0, 0.2, 5))
    assert np.allclose([sigma for sigma, _ in levels], [0.025, 0.075, 0.125, 0.175], atol=0.002)  # 100 samples each
    steps = [n for _, n in levels]
    assert steps == sorted(steps)


def test_recorded_losses_are_the_errors_of_the_images() -> None:
    flat = np.full((40, 40, 1), 100, np.uint8)
    patches = NoisyPatches([flat], batch=3, size=32, sigma_max=0.3, seed=0)
    unit = RestorationUnit(1, features=8, inner=8, generator=torch.Generator().manual_seed(0))
    paths = record_paths(unit, patches, n_batches=2, max_steps=3, precision=torch.float32)
    assert paths.losses.shape == (6, 4)
    # before the first step the error is the noise itself: 1024 samples, 4 % in the variance, 0.2 dB, three times that
    unclipped = paths.sigma < 0.12
    assert unclipped.any()
    noise = 20 * paths.sigma[unclipped].log10()
    assert (paths.losses[unclipped, 0] - noise).abs().max() < 0.6
