"""Attacks: the box, closed forms on a linear net, Auto-PGD's schedule, and that it beats plain PGD."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Adam

from backbone.attacks.apgd import Apgd, checkpoints, difference_of_logits
from backbone.attacks.attack import Attack, accuracy, robust_accuracy
from backbone.attacks.box import Box, uniform
from backbone.attacks.pgd import PgdAttack, ascend
from backbone.errors import UsageError
from backbone.samples import Samples, cross_entropy
from backbone.train.fit import fit
from backbone.train.gradient import Gradient

EPS = 0.1


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int, seed: int = 0) -> Samples:
    """Two classes of 4 x 4 pictures around two random ones, noise of 0.15."""
    centres = torch.rand(2, 1, 4, 4, generator=seeded(99), dtype=torch.float64)
    labels = torch.arange(n) % 2
    noise = 0.15 * torch.randn(n, 1, 4, 4, generator=seeded(seed), dtype=torch.float64)
    return Samples((centres[labels] + noise).clamp(0, 1), labels)


def linear_net() -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=seeded(k), dtype=torch.float64) * 0.3)
    return net


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    """A small smooth net that tells the classes apart."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, 3)).double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=seeded(k), dtype=torch.float64) * 0.5)
    fit(Gradient(net, cross_entropy, Adam(net.parameters(), lr=1e-2)), [pictures(200)], n_steps=100)
    return net


def test_the_box_keeps_eps_and_pictures() -> None:
    x = torch.tensor([[0.0, 0.04, 0.5, 0.97, 1.0]], dtype=torch.float64)
    box = Box.around(x, EPS)
    torch.testing.assert_close(box.low, torch.tensor([[0.0, -0.04, -0.1, -0.1, -0.1]], dtype=torch.float64))
    torch.testing.assert_close(box.high, torch.tensor([[0.1, 0.1, 0.1, 0.03, 0.0]], dtype=torch.float64))
    eta = box.project(torch.full_like(x, 7.0))
    assert torch.equal(eta, box.high)
    drawn = uniform(x.expand(2000, -1), EPS, seeded())
    assert drawn.abs().max() <= EPS
    assert drawn.std().item() == pytest.approx(EPS / 3**0.5, rel=0.02)  # 10,000 draws: 1 % of a deviation


@pytest.mark.parametrize("attack", [PgdAttack(eps=EPS, alpha=0.02, n_steps=20), Apgd(eps=EPS, n_steps=20)])
def test_the_worst_perturbation_of_a_linear_net_is_a_corner(attack: Attack) -> None:
    net, samples = linear_net(), pictures(40)
    weight = net[1].weight  # type: ignore[index]
    assert isinstance(weight, Tensor)
    slope = (weight[1 - samples.labels] - weight[samples.labels]).reshape(samples.inputs.shape)
    box = Box.around(samples.inputs, EPS)
    corner = torch.where(slope > 0, box.high, box.low)
    found = attack(net, samples, generator=seeded())
    right = net(samples.inputs).argmax(1) == samples.labels
    worst = net(samples.inputs + corner).argmax(1) != samples.labels
    assert torch.equal(net(found).argmax(1) != samples.labels, worst | ~right)
    assert torch.equal(found[~right], samples.inputs[~right])
    if isinstance(attack, PgdAttack):  # Auto-PGD may stop at the first that is told wrong
        torch.testing.assert_close(found[right], (samples.inputs + corner)[right].detach())


def test_ascent_leaves_no_gradient_behind(trained: nn.Module) -> None:
    samples = pictures(8)
    box = Box.around(samples.inputs, EPS)
    for weight in trained.parameters():
        weight.grad = None
    ascend(
        lambda eta: cross_entropy(trained, samples.at(samples.inputs + eta)),
        torch.zeros_like(samples.inputs),
        box,
        alpha=0.02,
        n_steps=3,
    )
    assert all(weight.grad is None for weight in trained.parameters())


def test_checkpoints_are_those_of_the_paper() -> None:
    # p = 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99: differences fall by 0.03 down to 0.06
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_the_difference_of_logits_does_not_see_their_scale() -> None:
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0]], dtype=torch.float64)
    labels = torch.tensor([0, 0])
    expected = torch.tensor([-2 / 3, 1.0], dtype=torch.float64)
    for scale in (1.0, 50.0):
        # 1e-12: the guard in the denominator
        torch.testing.assert_close(difference_of_logits(scale * logits, labels), expected, rtol=0.0, atol=1e-11)


@pytest.mark.parametrize("objective", [None, difference_of_logits])
def test_auto_pgd_breaks_at_least_what_pgd_20_breaks(
    trained: nn.Module, objective: Callable[[Tensor, Tensor], Tensor] | None
) -> None:
    samples = pictures(300, seed=5)
    apgd = Apgd(eps=EPS) if objective is None else Apgd(eps=EPS, objective=objective)
    plain = robust_accuracy(trained, PgdAttack(eps=EPS, alpha=EPS / 10), samples, generator=seeded())
    strong = robust_accuracy(trained, apgd, samples, generator=seeded())
    assert strong <= plain < accuracy(trained, samples)
    found = apgd(trained, samples, generator=seeded()) - samples.inputs
    assert found.abs().max() <= EPS * (1 + 1e-12)  # rounding of x + eta - x


def test_restarts_only_help(trained: nn.Module) -> None:
    samples = pictures(300, seed=6)
    once, more = (
        robust_accuracy(trained, PgdAttack(eps=EPS, alpha=0.02, n_steps=2, restarts=r), samples, generator=seeded())
        for r in (1, 5)
    )
    assert more <= once


def test_the_net_evaluates_under_attack_and_goes_on_training() -> None:
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(16, 2)).double().train()
    before = net[0].running_mean.clone()
    PgdAttack(eps=EPS, alpha=0.02, n_steps=2)(net, pictures(10), generator=seeded())
    assert net.training
    assert torch.equal(net[0].running_mean, before)


def test_an_eps_that_is_not_positive_is_refused() -> None:
    with pytest.raises(UsageError, match="eps must be positive, got 0"):
        Apgd(eps=0.0)
