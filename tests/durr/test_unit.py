"""The restoration unit: homogeneous, small, and looking no further than it says."""

from __future__ import annotations

import pytest
import torch

from durr.degradation.noise import GaussianNoise
from durr.policy.unit import PolicyUnit
from durr.unit import RestorationUnit


def unit(channels: int = 1, **sizes: int) -> RestorationUnit:
    net = RestorationUnit(channels, generator=torch.Generator().manual_seed(0), **sizes)
    with torch.no_grad():
        net.leave.weight.mul_(10)  # as large as the other layers: a trained unit is not timid
    return net


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_image_goes_into_the_state_and_comes_back(channels: int) -> None:
    image = noise(2, channels, 12, 8)
    state = unit(channels).start(image)
    assert state.shape == (2, 6, 4, 64)
    assert torch.equal(unit(channels).image(state), image)
    assert not state[..., 4 * channels :].any()


def test_a_step_scales_with_the_picture() -> None:
    net, state = unit(), noise(1, 8, 8, 64)
    # exact for powers of two: no rounding changes
    assert torch.equal(net.field(0.0, 0.25 * state), 0.25 * net.field(0.0, state))
    assert not net.field(0.0, torch.zeros(1, 8, 8, 64)).any()


@pytest.mark.parametrize("depth", [1, 2])
def test_a_step_looks_as_far_as_its_reach_and_no_further(depth: int) -> None:
    net = unit(depth=depth, features=16, inner=16).double()
    image = noise(1, 1, 96, 96).double()
    base = net.image(net.field(0.0, net.start(image)))
    furthest = 0
    for row, column in [(48, 48), (49, 50), (51, 51)]:  # every place in the cells of 4
        other = image.clone()
        other[0, 0, row, column] += 1.0
        changed = (net.image(net.field(0.0, net.start(other))) != base)[0, 0].nonzero()
        furthest = max(furthest, int((changed - torch.tensor([row, column])).abs().max()))
    assert furthest <= net.reach
    assert furthest > net.reach - net.align  # no more cautious than one cell


def test_two_units_of_one_seed_are_one() -> None:
    for a, b in zip(unit().parameters(), unit().parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_denoiser_and_its_policy_are_less_than_300_000_numbers(channels: int) -> None:
    net = unit(channels, depth=GaussianNoise.depth)
    policy = PolicyUnit(net.features, generator=torch.Generator())
    assert sum(weight.numel() for part in (net, policy) for weight in part.parameters()) <= 300_000


def test_a_branch_pushed_below_zero_still_learns() -> None:
    net = unit()
    with torch.no_grad():
        net.down.weight.copy_(-net.down.weight.abs())  # what comes in is mostly above zero
    net.field(0.0, net.start(noise(2, 1, 32, 32))).square().sum().backward()
    gradients = [net.down.weight.grad, net.blocks[0].second.weight.grad, net.up.weight.grad]
    assert all(gradient is not None and gradient.flatten(1).norm(dim=1).min() > 0.0 for gradient in gradients)
