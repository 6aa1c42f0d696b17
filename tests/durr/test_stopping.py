"""Stopping rules: each image by its own noise, the same alone as in a batch."""

from __future__ import annotations

import pytest
import torch

from durr.stopping import FirstUpdate, root_mean_square, rule_from_state
from durr.unfold import unfold
from durr.unit import RestorationUnit


def unit() -> RestorationUnit:
    net = RestorationUnit(1, features=16, inner=16, generator=torch.Generator().manual_seed(0))
    return net.requires_grad_(False)


def pictures() -> torch.Tensor:
    noise = torch.randn(4, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    return 0.5 + torch.tensor([0.0, 0.1, 0.2, 0.8]).view(4, 1, 1, 1) * noise


def test_the_first_update_decides_within_its_bounds() -> None:
    net, noisy = unit(), pictures()
    first = unfold(net, noisy, until=None, max_steps=1).images.detach()
    update = root_mean_square(first[1] - first[0])
    slope = 4.0 / float(update[2])  # the third picture then takes 1.3 + 4 = 5.3 steps
    rule = FirstUpdate(1.3, slope, most=6)
    path = unfold(net, noisy, until=rule.start(net, noisy), max_steps=9)
    wanted = [min(round(1.3 + slope * float(rms)), 6) for rms in update]
    assert path.steps.tolist() == wanted
    assert wanted[2] == 5
    assert wanted[3] == 6
    for sample, steps in enumerate(wanted):
        alone = unfold(net, noisy[sample : sample + 1], until=rule.start(net, noisy), max_steps=9)
        assert alone.steps.tolist() == [steps]


def test_one_step_at_least_is_taken() -> None:
    net = unit()
    rule = FirstUpdate(-3.0, 0.0, most=6)
    assert unfold(net, pictures(), until=rule.start(net, pictures()), max_steps=9).steps.tolist() == [1] * 4


def test_a_rule_starts_afresh_for_every_solve() -> None:
    net, rule = unit(), FirstUpdate(1.0, 3.0, most=9)
    once = unfold(net, pictures(), until=rule.start(net, pictures()), max_steps=9).steps
    again = unfold(net, pictures().flip(0), until=rule.start(net, pictures()), max_steps=9).steps
    assert torch.equal(once.flip(0), again)


def test_the_rule_comes_back_from_a_model_file() -> None:
    rule = FirstUpdate(1.7, 50.4, most=7)
    assert rule_from_state(rule.kind, rule.state()) == rule


def test_the_size_of_an_image_does_not_count() -> None:
    assert root_mean_square(torch.full((1, 3, 4, 8), -2.0)).item() == pytest.approx(2.0, rel=1e-6)  # float32
