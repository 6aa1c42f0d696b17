"""Adversarial training: passes, the hand formula of YOPO's first layer, Free's perturbations, exact resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam

from backbone.attacks.box import Box, uniform
from backbone.checkpoint import load_state, save_state
from backbone.errors import UntrustedResult, UsageError
from backbone.samples import Samples, cross_entropy
from backbone.stem import Stemmed
from backbone.train.adversarial import Adversarial, Algorithm
from backbone.train.algorithms import algorithm
from backbone.train.first_layer import AnyLayer, ConvolutionLayer, first_layer
from backbone.train.free import Free
from backbone.train.pgd import Pgd, Trades
from backbone.train.yopo import Yopo

EPS, ALPHA = 0.1, 0.025


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch(n: int = 6, seed: int = 0) -> Samples:
    return Samples((normal(n, 1, 8, 8, seed=seed) * 0.3 + 0.5).clamp(0, 1), torch.arange(n) % 3)


def network(first: nn.Module | None = None) -> Stemmed:
    """A smooth net of one convolution and two layers more, float64."""
    rest = nn.Sequential(nn.Tanh(), nn.Conv2d(4, 3, 3, stride=2), nn.SiLU(), nn.Flatten(), nn.Linear(27, 3))
    net = Stemmed(nn.Conv2d(1, 4, 3, padding=1) if first is None else first, rest).double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight.copy_(0.4 * normal(*weight.shape, seed=k))
    return net


def game(how: Algorithm, net: nn.Module | None = None, *, lr: float = 0.0, seed: int = 3) -> Adversarial:
    """A game whose weights stand still unless lr says otherwise."""
    net = network() if net is None else net
    generator = torch.Generator().manual_seed(seed)
    return Adversarial(net, cross_entropy, SGD(net.parameters(), lr=lr), how, eps=EPS, generator=generator)


def flat(net: nn.Module) -> Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in net.parameters()])


def test_yopo_m_1_perturbs_as_pgd_m_does() -> None:
    perturbations = []
    for how in (Yopo(6, 1, ALPHA), Pgd(6, ALPHA)):
        update = game(how)
        update(batch(50))
        perturbations.append(update.eta)
    assert torch.equal(*perturbations)  # all 3,200 entries, bit for bit: the same signs, for their slopes agree


@pytest.mark.parametrize(
    ("word", "full", "first"),
    [
        ("natural", 1, 0),
        ("pgd:10", 11, 0),
        ("fast", 2, 0),
        ("trades:10", 12, 0),
        ("free:8", 8, 0),
        ("yopo:5,3", 5, 20),
        ("yopo:3,5", 3, 18),
    ],
)
def test_passes_are_those_of_the_definition(word: str, full: int, first: int) -> None:
    update = game(algorithm(word, EPS))
    for _ in range(2):
        update(batch())
    assert (update.passes.full, update.passes.first) == (2 * full, 2 * first)


def by_hand(net: Stemmed, samples: Samples, m: int, n: int) -> tuple[list[Tensor], Tensor]:
    """YOPO's gradients, every step by autograd through the definition."""
    box = Box.around(samples.inputs, EPS)
    eta = box.project(uniform(samples.inputs, EPS, torch.Generator().manual_seed(3)))
    sums = [torch.zeros_like(weight) for weight in net.parameters()]
    own, others = list(net.first.parameters()), list(net.rest.parameters())
    for _ in range(m):
        features = net.first(samples.inputs + eta).detach().requires_grad_(True)
        loss = nn.functional.cross_entropy(net.rest(features), samples.labels)
        p, *of_rest = torch.autograd.grad(loss, [features, *others])
        for _ in range(n):
            eta = eta.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad((p * net.first(samples.inputs + eta)).sum(), eta)
            eta = box.project(eta.detach() + ALPHA * slope.sign())
        of_first = torch.autograd.grad((p * net.first(samples.inputs + eta)).sum(), own)
        sums = [total + one for total, one in zip(sums, [*of_first, *of_rest], strict=True)]
    return sums, eta


FIRSTS: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv2d(1, 4, 3, padding=1),
    "no constants": lambda: nn.Conv2d(1, 4, 3, padding=1, bias=False),
    "curved": lambda: nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh()),
    "circular": lambda: nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular"),
}


@pytest.mark.parametrize("first", FIRSTS)
def test_yopo_steps_by_the_sum_of_the_hand_formula(first: str) -> None:
    net = network(FIRSTS[first]())
    before = flat(net)
    gradients, eta = by_hand(net, batch(), 4, 3)
    update = game(Yopo(4, 3, ALPHA), net, lr=1.0)
    update(batch())
    assert update.eta is not None
    # n steps in one: alpha is added up in another order, an ulp of 0.1
    torch.testing.assert_close(update.eta, eta, rtol=0.0, atol=1e-15)
    expected = torch.cat([gradient.reshape(-1) for gradient in gradients])
    torch.testing.assert_close(before - flat(net), expected, rtol=1e-12, atol=1e-14)  # rounding of sums


def test_a_plain_convolution_needs_no_pass_forward() -> None:
    layer, x, p = nn.Conv2d(2, 3, 3, stride=2, padding=1).double(), normal(4, 2, 8, 8), normal(4, 3, 4, 4, seed=1)
    assert isinstance(first_layer(layer), ConvolutionLayer)
    assert isinstance(first_layer(nn.Linear(2, 2)), AnyLayer)
    torch.testing.assert_close(ConvolutionLayer(layer).input_slope(x, p), AnyLayer(layer).input_slope(x, p))
    for quick, slow in zip(
        ConvolutionLayer(layer).weight_slopes(x, p), AnyLayer(layer).weight_slopes(x, p), strict=True
    ):
        torch.testing.assert_close(quick, slow)


def test_free_moves_both_players_by_one_pass_and_keeps_the_perturbation() -> None:
    net = network()
    update = game(Free(2), net, lr=0.1)
    twin = network()
    eta = torch.zeros(6, 1, 8, 8, dtype=torch.float64)
    for seed in (0, 1):
        samples = batch(seed=seed)
        update(samples)
        box = Box.around(samples.inputs, EPS)
        for _ in range(2):
            eta = box.project(eta.detach()).requires_grad_(True)
            loss = cross_entropy(twin, samples.at(samples.inputs + eta))
            slope, *gradients = torch.autograd.grad(loss, [eta, *twin.parameters()])
            with torch.no_grad():
                for weight, gradient in zip(twin.parameters(), gradients, strict=True):
                    weight -= 0.1 * gradient
            eta = box.project(eta.detach() + EPS * slope.sign())
        assert update.eta is not None
        assert torch.equal(update.eta, eta)
    # SGD multiplies and adds in one rounding
    torch.testing.assert_close(flat(net), flat(twin), rtol=1e-14, atol=1e-15)
    with pytest.raises(UsageError, match="a batch of 9 after one of 6"):
        update(batch(9))


def test_trades_without_weight_on_the_divergence_is_natural() -> None:
    weights = []
    for how in (Trades(2, ALPHA, beta=0.0), algorithm("natural", EPS)):
        net = network()
        game(how, net, lr=0.5)(batch())
        weights.append(flat(net))
    torch.testing.assert_close(*weights, rtol=0.0, atol=1e-15)  # 0 times a number is added


@pytest.mark.parametrize("word", ["natural", "pgd:3", "fast", "trades:2", "free:2", "yopo:2,2"])
def test_resume_is_bit_for_bit(word: str, tmp_path: Path) -> None:
    def fresh() -> tuple[Stemmed, Adversarial]:
        net = network()
        optimiser = Adam(net.parameters(), lr=1e-2)
        generator = torch.Generator().manual_seed(1)
        return net, Adversarial(net, cross_entropy, optimiser, algorithm(word, EPS), eps=EPS, generator=generator)

    whole, update = fresh()
    losses = [update(batch(seed=seed)) for seed in range(4)]
    _, half = fresh()
    for seed in range(2):
        half(batch(seed=seed))
    save_state(tmp_path / "half.safetensors", half.state_dict(), kind="test")
    second, resumed = fresh()
    resumed.load_state_dict(load_state(tmp_path / "half.safetensors", kind="test"))
    assert [resumed(batch(seed=seed)) for seed in (2, 3)] == losses[2:]
    assert torch.equal(flat(second), flat(whole))
    assert resumed.passes == update.passes


@pytest.mark.parametrize("word", ["", "yopo", "yopo:5", "yopo:5,3,1", "pgd:x", "pgd:0", "pgd:-1", "fast:3", "fgsm"])
def test_wrong_words_are_answered_with_the_list(word: str) -> None:
    with pytest.raises(UsageError, match="is no update") as told:
        algorithm(word, EPS)
    assert "yopo:5,3" in told.value.cure


def test_yopo_needs_a_first_layer() -> None:
    with pytest.raises(UsageError, match="a Sequential does not say which layer is its first"):
        game(Yopo(1, 1, ALPHA), nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double())(batch())


def test_a_loss_that_is_not_finite_moves_nothing() -> None:
    for word in ("pgd:1", "free:1", "yopo:1,1"):
        net = network()
        before = flat(net)
        broken = Samples(torch.full_like(batch().inputs, torch.nan), batch().labels)
        with pytest.raises(UntrustedResult, match="the loss is nan"):
            game(algorithm(word, EPS), net, lr=1.0)(broken)
        assert torch.equal(flat(net), before)
