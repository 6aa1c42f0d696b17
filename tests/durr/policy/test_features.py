"""What the policy sees: closed forms, and blindness to scale."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from durr.policy.features import BANDS, MOST_CELLS, Looking, bands, every_nth_row
from durr.unit import RestorationUnit


def unit(channels: int = 1) -> RestorationUnit:
    return RestorationUnit(channels, features=16, inner=16, generator=torch.Generator().manual_seed(0))


def look_twice(net: RestorationUnit, noisy: Tensor) -> Tensor:
    looking, start = Looking(net), net.start(noisy)
    with torch.no_grad():
        return torch.stack([looking(start), looking(start + net.field(0.0, start))])


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def test_the_bands_of_white_noise_are_alike_and_the_transform_is_its_own_inverse() -> None:
    folded = noise(2, 200, 200, 2 * BANDS)
    assert torch.allclose(bands(bands(folded)), folded, atol=1e-6)  # float32 rounding of eight additions
    # 40,000 samples: the deviation of a deviation is 1 / sqrt(80,000)
    assert torch.allclose(bands(folded).std(dim=(1, 2)), torch.ones(2, 2 * BANDS), atol=5 / math.sqrt(80_000))


def test_the_bands_are_means_and_differences_of_blocks() -> None:
    picture = torch.tensor([[1.0, 2.0], [3.0, 5.0]]).view(1, 1, 2, 2).expand(1, 1, 2, 2)
    state = unit().start(torch.nn.functional.pad(picture, (0, 2, 0, 2)))
    assert bands(state[..., :BANDS])[0, 0, 0].tolist() == [5.5, -1.5, -2.5, 0.5]


@pytest.mark.parametrize("channels", [1, 3])
def test_scaling_an_image_changes_nothing(channels: int) -> None:
    net, noisy = unit(channels), 0.5 + 0.1 * noise(2, channels, 32, 24)
    seen = look_twice(net, noisy)
    assert seen.shape == (2, 2, net.features)
    for factor in (0.25, 3.0):
        # logarithms of sums in float32, in another rounding
        assert torch.allclose(look_twice(net, factor * noisy), seen, atol=1e-4, equal_nan=True)


def test_what_is_empty_is_not_a_number() -> None:
    net = unit()
    seen = look_twice(net, 0.5 + 0.1 * noise(1, 1, 32, 32))
    assert seen[0, :, :BANDS].isfinite().all()
    assert seen[0, :, BANDS:].isnan().all()
    assert seen[1].isfinite().all()
    assert look_twice(net, torch.zeros(1, 1, 16, 16)).isnan().all()  # black: nothing is seen


@pytest.mark.parametrize(("rows", "columns", "left"), [(8, 8, 8), (128, 64, 128), (129, 64, 43), (4000, 3000, 3)])
def test_a_large_state_is_looked_at_in_part(rows: int, columns: int, left: int) -> None:
    state = torch.arange(rows).view(1, -1, 1, 1).expand(1, rows, columns, 1)
    seen = every_nth_row(state.float())
    assert seen.shape[1] == left
    assert seen.shape[1] * columns <= max(MOST_CELLS, columns) + columns
    assert seen[0, 0, 0, 0] == 0.0
    assert (seen[0, :, 0, 0].diff() == seen[0, 1, 0, 0]).all()
    assert seen[0, 1, 0, 0] % 2 == 1


def test_more_of_the_same_noise_looks_the_same() -> None:
    net = unit()
    small, large = (look_twice(net, noise(1, 1, side, side))[1] for side in (128, 512))
    # 4,096 samples: a mean absolute value is known to 1.2 %; the borders of the image are another part of it
    assert (small - large).abs().max() < 0.1
