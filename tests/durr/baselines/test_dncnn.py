"""The timed peer has the published net's size and work."""

from __future__ import annotations

import pytest
import torch

from durr.baselines.dncnn import DnCNN, apply


def net_of(channels: int) -> DnCNN:
    return DnCNN(channels, torch.Generator().manual_seed(0))


def test_it_has_the_published_number_of_parameters() -> None:
    # 20 layers of 64 features: 9 * 64 + 18 * 9 * 64^2 + 9 * 64 weights and 19 * 64 + 1 constants
    assert sum(p.numel() for p in net_of(1).parameters()) == 576 + 663_552 + 576 + 1217
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in net_of(3).modules()) == 20


@pytest.mark.parametrize("channels", [1, 3])
def test_both_precisions_restore_the_same_image(channels: int) -> None:
    net = net_of(channels)
    noisy = torch.rand((1, channels, 12, 10), generator=torch.Generator().manual_seed(0))
    whole, half = apply(net, noisy, "float32"), apply(net, noisy, "bfloat16")
    assert whole.shape == half.shape == noisy.shape
    assert whole.dtype == half.dtype == torch.float32
    torch.testing.assert_close(half, whole, rtol=0, atol=0.02)  # bfloat16 keeps 8 binary digits
