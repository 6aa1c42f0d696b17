"""What adversarial training is for: features that an attack can turn round are not relied on."""

from __future__ import annotations

from itertools import repeat

import pytest
import torch
from torch import nn
from torch.optim import Adam

from backbone.attacks.apgd import Apgd
from backbone.attacks.attack import accuracy, robust_accuracy
from backbone.samples import Samples, cross_entropy
from backbone.stem import Stemmed
from backbone.train.adversarial import Adversarial
from backbone.train.algorithms import algorithm
from backbone.train.fit import fit

EPS = 0.1


def two_features(n: int, seed: int) -> Samples:
    """Pictures of two classes: one strong pixel that tells the class of 95 %, fifteen weak ones that tell all.

    The weak ones lie 0.06 from their mean, within reach of an attack; the strong one 0.4, out of it. Tsipras,
    Santurkar, Engstrom, Turner, Madry, ICLR 2019, section 2.1.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    sign = (2 * labels - 1).float()
    pixels = 0.5 + 0.06 * sign[:, None] + 0.05 * torch.randn(n, 16, generator=generator)
    kept = torch.rand(n, generator=generator) < 0.95
    pixels[:, 0] = 0.5 + 0.4 * torch.where(kept, sign, -sign)
    return Samples(pixels.clamp(0, 1).reshape(n, 1, 4, 4), labels)


def trained(word: str) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    first = nn.Conv2d(1, 8, 3, padding=1)
    net = Stemmed(first, nn.Sequential(nn.SiLU(), nn.Flatten(), nn.Linear(128, 2)))
    with torch.no_grad():
        for weight in net.parameters():
            weight.normal_(std=0.2, generator=generator)
    optimiser = Adam(net.parameters(), lr=1e-2)
    update = Adversarial(net, cross_entropy, optimiser, algorithm(word, EPS), eps=EPS, generator=generator)
    fit(update, repeat(two_features(400, seed=1)), n_steps=150)
    return net


def test_a_natural_training_relies_on_what_an_attack_turns_round() -> None:
    net, test = trained("natural"), two_features(400, seed=2)
    assert accuracy(net, test) > 0.97  # the weak pixels alone: 0.06 sqrt(15) / 0.05 = 4.6 deviations
    assert robust_accuracy(net, Apgd(eps=EPS, n_steps=20), test, generator=torch.Generator()) < 0.5


@pytest.mark.parametrize("word", ["pgd:5", "fast", "trades:5", "free:4", "yopo:5,3", "yopo:3,5"])
def test_adversarial_training_relies_on_the_strong_pixel(word: str) -> None:
    net, test = trained(word), two_features(400, seed=2)
    robust = robust_accuracy(net, Apgd(eps=EPS, n_steps=20), test, generator=torch.Generator())
    assert 0.85 < robust <= accuracy(net, test)  # 0.95 less three deviations of 400 draws, and what the rest spoils
