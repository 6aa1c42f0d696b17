"""Degradations: the noise that was asked for, and files as 8 bits hold them."""

from __future__ import annotations

import numpy as np
import torch

from durr.degradation.noise import add_noise, recorded


def test_the_noise_has_each_images_own_level_and_is_not_clipped() -> None:
    clean = torch.full((3, 1, 200, 200), 0.98)
    sigma = torch.tensor([0.0, 0.05, 0.3])
    noise = add_noise(clean, sigma, torch.Generator().manual_seed(0)) - clean
    assert not noise[0].any()
    for sample in (1, 2):
        # the standard error of a deviation from 40 000 samples is 0.35 %
        assert abs(noise[sample].std() / sigma[sample] - 1) < 0.015
        assert noise[sample].max() > 0.02


def test_recorded_images_are_what_a_file_of_8_bits_gives_back() -> None:
    image = torch.tensor([[-0.3, 0.1234, 0.5, 1.7]]).view(1, 1, 1, 4).repeat(2, 1, 1, 1)
    stored = recorded(image, torch.tensor([True, False]))
    file = np.rint(np.clip(image[0].numpy(), 0, 1) * 255).astype(np.uint8)
    assert np.array_equal(np.rint(stored[0].numpy() * 255).astype(np.uint8), file)
    assert stored[0].min() == 0.0
    assert torch.equal(stored[1], image[1])
