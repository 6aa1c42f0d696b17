"""The rule of the first update on paths whose best step is known."""

from __future__ import annotations

import numpy as np
import torch

from durr.policy.first_update import fit_first_update, interpolated_cost
from durr.policy.paths import STEP_COST, Paths, follow
from durr.policy.rules import steps_by_level, steps_taken
from durr.stopping import root_mean_square
from durr.unfold import unfold

BEST_FIRST, BEST_SLOPE = 1.5, 20.0


def parabolas(n: int = 400) -> Paths:
    """Losses (k - k*)^2 / 10 with k* = 1.5 + 20 sigma, first updates half of sigma."""
    sigma = torch.linspace(0.0, 0.2, n)
    best = BEST_FIRST + BEST_SLOPE * sigma
    loss = (torch.arange(10.0) - best[:, None]).square() / 10
    return Paths(seen=torch.zeros(n, 10, 1), loss=loss, update=sigma / 2, level=sigma)


def test_the_fitted_line_is_the_line_of_best_steps() -> None:
    rule = fit_first_update(parabolas(), most=9)
    for sigma in (0.01, 0.1, 0.19):
        steps = float(rule.steps(torch.tensor([sigma / 2])))
        # between whole steps the loss is a chord, so the minimum is known to half a step; the mean line is closer
        assert abs(steps - (BEST_FIRST + BEST_SLOPE * sigma)) < 0.3


def test_the_cost_between_two_steps_is_a_straight_line() -> None:
    loss = torch.tensor([[4.0, 2.0, 1.0], [0.0, -2.0, 8.0]])
    paths = Paths(seen=torch.zeros(2, 3, 1), loss=loss, update=torch.zeros(2), level=torch.zeros(2))
    for steps, ends, losses in (([0.5, 1.25], [0.5, 1.25], [3.0, 0.5]), ([-1.0, 7.0], [0.0, 2.0], [4.0, 8.0])):
        found = interpolated_cost(paths, torch.tensor(steps))
        assert torch.allclose(found, torch.tensor(losses) + STEP_COST * torch.tensor(ends))


def test_the_steps_by_level_rise_with_the_noise() -> None:
    paths = parabolas()
    taken = steps_taken(fit_first_update(paths, most=9), paths)
    levels = steps_by_level(paths, taken, torch.linspace(0.0, 0.2, 5))
    assert np.allclose([sigma for sigma, _ in levels], [0.025, 0.075, 0.125, 0.175], atol=0.002)  # 100 samples each
    steps = [n for _, n in levels]
    assert steps == sorted(steps)


def test_the_followed_update_is_what_the_rule_sees_at_work(shrinking, checks) -> None:
    batch = checks([0.05, 0.02, 0.04], [0.1, 0.03, 0.0], seed=4)
    paths = follow(shrinking, [batch], max_steps=6)
    images = unfold(shrinking, batch.degraded, until=None, max_steps=1).images
    assert torch.equal(paths.update, root_mean_square(images[1] - images[0]))
    rule = fit_first_update(paths, most=6)
    path = unfold(shrinking, batch.degraded, until=rule.start(shrinking, batch.degraded), max_steps=6)
    assert path.steps.tolist() == steps_taken(rule, paths).tolist()
