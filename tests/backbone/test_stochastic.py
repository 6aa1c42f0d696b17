"""Random schemes: means, shares, draws that a second run repeats and that a stopped neighbour does not change."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from backbone.dynamics import Shared
from backbone.endpoint import AfterSteps
from backbone.gradients import Backprop, Checkpoint, Gradient
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Bernoulli, Euler, Heun, Scheme, ShakeShake, linear_decay
from backbone.structured import Branches

N = 6
GRID = Grid.uniform(0.0, 1.5, N)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Pull(nn.Module):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.K = nn.Parameter(normal(3, 3, seed=seed))

    def forward(self, t: float, y: Tensor) -> Tensor:
        return torch.tanh(y @ self.K.T)


def bernoulli(scaling: str = "depth", seed: int = 5) -> Bernoulli:
    return Bernoulli(Euler(), linear_decay(N), scaling=scaling, generator=torch.Generator().manual_seed(seed))


def shake(scaling: str = "depth", seed: int = 5) -> ShakeShake:
    return ShakeShake(scaling=scaling, generator=torch.Generator().manual_seed(seed))


def dynamics(scheme: Scheme) -> Shared:
    return Shared(Branches(Pull(1), Pull(2)) if isinstance(scheme, ShakeShake) else Pull(1))


MAKERS = {"stochastic depth": bernoulli, "Shake-Shake": shake}


def test_survival_falls_from_one_to_the_last() -> None:
    assert linear_decay(5, 0.6) == pytest.approx((1.0, 0.9, 0.8, 0.7, 0.6))
    assert linear_decay(1) == (1.0,)


@pytest.mark.parametrize("scaling", ["depth", "sde"])
@pytest.mark.parametrize("name", MAKERS)
def test_the_mean_over_many_samples_is_that_of_the_step(name: str, scaling: str) -> None:
    scheme = MAKERS[name](scaling)
    f, y0 = dynamics(scheme), normal(1, 3).expand(40_000, 3)
    short = Grid((0.0, 0.25))
    if isinstance(scheme, Bernoulli):
        scheme.survival = (0.7,)
    with torch.no_grad():
        drawn = integrate(f, y0, short, scheme).ys
        mean = integrate(f, y0[:1], short, scheme.eval()).ys[0]
    spread = drawn.std(0) / math.sqrt(len(drawn))
    assert bool((spread > 0).all())
    assert bool(((drawn.mean(0) - mean).abs() < 4 * spread).all())  # four standard errors


def test_shares_have_the_variance_of_the_limit() -> None:
    h, p = 0.01, 0.7
    stay, leave = (float(bernoulli("sde").share(torch.tensor(eta).double(), p, h)) for eta in (1.0, 0.0))
    mean = p * stay + (1 - p) * leave
    assert mean == pytest.approx(p)
    # the increment h f share has variance h p (1 - p) f^2, as sqrt(p (1 - p)) f dB
    assert (p * (stay - mean) ** 2 + (1 - p) * (leave - mean) ** 2) * h**2 == pytest.approx(h * p * (1 - p))
    etas = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    shares = shake("sde").share(etas, h)
    assert float(shares.var()) == pytest.approx(h / 12, rel=1e-4)  # of a uniform number; the sum is 1e-5 off


@pytest.mark.parametrize("name", MAKERS)
def test_checkpoints_draw_the_same_numbers_again(name: str) -> None:
    def slope(gradient: Gradient) -> Tensor:
        scheme = MAKERS[name]()
        f = dynamics(scheme)
        end = integrate(f, normal(4, 3), GRID, scheme, gradient=gradient).ys
        return torch.cat([part.reshape(-1) for part in torch.autograd.grad(end.square().sum(), list(f.parameters()))])

    assert torch.equal(slope(Checkpoint(2)), slope(Backprop()))


@pytest.mark.parametrize("name", MAKERS)
def test_solves_differ_and_a_seed_repeats_them(name: str) -> None:
    scheme, y0 = MAKERS[name](), normal(4, 3)
    f = dynamics(scheme)
    with torch.no_grad():
        first, second = (integrate(f, y0, GRID, scheme).ys for _ in range(2))
        again = integrate(f, y0, GRID, MAKERS[name]()).ys
    assert not torch.equal(first, second)
    assert torch.equal(first, again)
    assert torch.unique(first - integrate(f, y0, GRID, scheme.eval()).ys.detach(), dim=0).shape[0] > 1


@pytest.mark.parametrize("name", MAKERS)
def test_a_sample_that_stops_leaves_the_numbers_of_the_others(name: str) -> None:
    y0 = normal(4, 3)
    with torch.no_grad():
        whole = integrate(dynamics(MAKERS[name]()), y0, GRID, MAKERS[name]()).ys
        until = AfterSteps(torch.tensor([N, 2, N, 0]), GRID)
        stopped = integrate(dynamics(MAKERS[name]()), y0, GRID, MAKERS[name](), until=until).ys
    torch.testing.assert_close(stopped[[0, 2]], whole[[0, 2]], rtol=1e-13, atol=1e-13)  # sums of other batch sizes
    assert torch.equal(stopped[3], y0[3])


def test_stochastic_depth_wraps_any_one_step_scheme() -> None:
    scheme = Bernoulli(Heun(), (1.0,) * N, generator=torch.Generator())
    f = dynamics(scheme)
    with torch.no_grad():
        plain = integrate(f, normal(2, 3), GRID, Heun())
        kept = integrate(f, normal(2, 3), GRID, scheme)
    torch.testing.assert_close(kept.ys, plain.ys, rtol=1e-14, atol=1e-14)  # y + (y1 - y) rounds once more
    assert kept.n_evals == plain.n_evals
