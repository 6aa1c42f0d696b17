"""Schedules: a longer training begins like a shorter one; heavier noise is unfolded more often."""

from __future__ import annotations

import torch

from durr.degradation.degradation import Batch
from durr.degradation.noise import FIRST, PER_LEVEL, GaussianNoise
from durr.training.schedule import WARM_UP, HandSet, learning_rate_share, trunk_end


def test_the_learning_rate_goes_up_stays_and_falls_to_nearly_nothing() -> None:
    shares = [learning_rate_share(step, 1000) for step in range(1, 1001)]
    assert shares[0] == 1 / WARM_UP
    assert shares[WARM_UP - 1] == max(shares) == 1.0
    assert shares[trunk_end(1000) - 1] == 1.0
    assert all(a >= b for a, b in zip(shares[WARM_UP:], shares[WARM_UP + 1 :], strict=False))
    assert abs(shares[799] - 0.5) < 1e-15  # half-way down the cosine, rounded
    assert shares[-1] < 1e-4


def test_a_longer_training_begins_with_the_same_learning_rates() -> None:
    for step in range(1, trunk_end(1000) + 1):
        assert learning_rate_share(step, 1000) == learning_rate_share(step, 5000)


def test_the_mean_number_of_steps_is_a_straight_line_over_the_level() -> None:
    empty = torch.zeros(4000, 1, 1, 1)
    for level in (0.0, 0.1, 0.3):
        batch = Batch(empty, empty, torch.full((4000,), level))
        counts = HandSet(0, GaussianNoise(80.0))(batch, 7)
        wanted = FIRST + PER_LEVEL * level
        assert set(counts.tolist()) <= {int(wanted), int(wanted) + 1}
        # 4000 answers of two neighbours: the standard error of the mean is at most 0.008
        assert abs(counts.double().mean() - wanted) < 0.03
        assert torch.equal(counts, HandSet(0, GaussianNoise(80.0))(batch, 7))
