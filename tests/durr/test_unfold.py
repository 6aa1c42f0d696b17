"""Unfolding: the integrator's Euler steps, each image until its own end, at any size."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from backbone.endpoint import AfterSteps
from durr.unfold import continued, steps_grid, unfold
from durr.unit import RestorationUnit


def unit() -> RestorationUnit:
    return RestorationUnit(1, features=16, inner=16, generator=torch.Generator().manual_seed(0))


def pictures(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(2))


def test_unfolding_is_the_residual_network_written_out() -> None:
    net, noisy = unit(), pictures(2, 1, 16, 12)
    path = unfold(net, noisy, until=None, max_steps=3)
    state = net.start(noisy)
    for k in range(4):
        assert torch.equal(path.images[k], net.image(state))
        state = state + net.field(float(k), state)
    assert path.steps.tolist() == [3, 3]


def test_every_image_stops_at_its_own_step_as_if_it_were_alone() -> None:
    net, noisy = unit(), pictures(3, 1, 16, 16)
    counts = torch.tensor([2, 0, 4])
    path = unfold(net, noisy, until=AfterSteps(counts, steps_grid(5)), max_steps=5)
    assert path.steps.tolist() == counts.tolist()
    assert len(path.images) == 5  # the solve ends with the last image
    for sample, count in enumerate(counts.tolist()):
        alone = unfold(net, noisy[sample : sample + 1], until=None, max_steps=5).images[count, 0]
        # a batch of one sums in another order: float32 rounding
        assert (path.last[sample] - alone).abs().max() < 1e-5
    assert torch.equal(path.last[1], noisy[1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3), (13, 18)])
def test_any_size_comes_back_as_it_went_in(shape: tuple[int, int]) -> None:
    noisy = pictures(1, 1, *shape)
    path = unfold(unit(), noisy, until=None, max_steps=2)
    assert path.images.shape == (3, 1, 1, *shape)
    assert torch.equal(path.images[0], noisy)
    assert path.last.isfinite().all()


def test_an_image_is_continued_as_a_mirror_has_it() -> None:
    image = pictures(1, 1, 6, 5)
    wide = functional.pad(image.flip(-1), (0, 0, 0, 0))  # the mirror image, edge repeated
    assert torch.equal(continued(image, 4)[..., :6, 5:], wide[..., :3])
    assert continued(image, 4).shape[-2:] == (8, 8)
    assert continued(image[..., :1, :1], 4).shape[-2:] == (4, 4)
