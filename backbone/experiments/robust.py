"""The game that experiments on adversarial training play: a small CNN, Adam, an algorithm by name."""

from __future__ import annotations

import torch
from torch.optim import Adam

from backbone.nets.small_cnn import SmallShape, small_cnn
from backbone.precision import convolution_precision
from backbone.samples import cross_entropy
from backbone.train.adversarial import Adversarial
from backbone.train.algorithms import algorithm

NATURAL, PGD, YOPO = "natural", "pgd:10", "yopo:5,3"
METHODS = (NATURAL, PGD, YOPO, "yopo:3,5", "free:8", "fast")


def small_game(
    word: str, shape: SmallShape, *, seed: int, eps: float, learning_rate: float, device: torch.device
) -> Adversarial:
    """An update by the algorithm of a word; passes in the fastest format of the device, channels last."""
    net = small_cnn(shape, generator=torch.Generator().manual_seed(seed))
    net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Adversarial(
        net,
        cross_entropy,
        Adam(net.parameters(), lr=learning_rate),
        algorithm(word, eps),
        eps=eps,
        generator=torch.Generator().manual_seed(seed),
        precision=convolution_precision(device),
    )
