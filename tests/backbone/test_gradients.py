"""Gradients of a solve: checkpointing equals backpropagation, both have the scheme's order."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from backbone.dynamics import SemiLinear, Shared
from backbone.errors import UsageError
from backbone.gradients import Backprop, Checkpoint, Gradient
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4, RK4, Euler, Heun, ImplicitTrapezoid, Midpoint, Scheme


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Neuron(nn.Module):
    """f(t, y) = tanh(K y + b) cos t - y, as a semi-linear field, so that every scheme can step it."""

    def __init__(self) -> None:
        super().__init__()
        self.K = nn.Parameter(0.7 * normal(3, 3, seed=1))
        self.b = nn.Parameter(normal(3, seed=2))
        self.rate = nn.Parameter(torch.tensor([-1.0, -0.5, -2.0], dtype=torch.float64))

    def pull(self, t: float, y: Tensor) -> Tensor:
        return torch.tanh(y @ self.K.T + self.b) * math.cos(t)

    def gradient(self, scheme: Scheme, n: int, gradient: Gradient | None = None) -> Tensor:
        """d |y(1)|^2 / d (y0, K, b, rate), one after another in a vector."""
        y0 = normal(2, 3, seed=3).requires_grad_()
        f = Shared(SemiLinear(self.rate, self.pull))
        end = integrate(f, y0, Grid.uniform(0.0, 1.0, n), scheme, gradient=gradient or Backprop()).ys
        slopes = torch.autograd.grad((end**2).sum(), [y0, *self.parameters()])
        return torch.cat([slope.reshape(-1) for slope in slopes])


# with the numbers of steps between which the order is read
SCHEMES: dict[type[Scheme], tuple[int, int]] = {
    Euler: (64, 128),
    Midpoint: (32, 64),
    Heun: (32, 64),
    RK4: (32, 64),
    ImplicitTrapezoid: (8, 16),
    ETDRK4: (8, 16),
}


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.__name__)
def test_gradients_have_the_order_of_the_scheme(scheme: type[Scheme]) -> None:
    net = Neuron()
    exact = net.gradient(RK4(), 512)  # its own error is (64/512)^4 = 2e-4 of the smallest one measured
    errors = [float((net.gradient(scheme(), n) - exact).norm()) for n in SCHEMES[scheme]]
    # +-0.15: the prototype's 1.00, 2.00, 3.99 for Euler, midpoint and RK4, with room
    assert math.log2(errors[0] / errors[1]) == pytest.approx(scheme.order, abs=0.15), errors


@pytest.mark.parametrize("every", [1, 3, 7, 100])
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.__name__)
def test_checkpointing_gives_the_gradient_of_backprop_bit_for_bit(scheme: type[Scheme], every: int) -> None:
    net = Neuron()
    assert torch.equal(net.gradient(scheme(), 7, Checkpoint(every)), net.gradient(scheme(), 7))


def test_checkpointing_runs_the_steps_twice_and_keeps_random_draws() -> None:
    calls = []
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)

    def noisy(t: float, y: Tensor) -> Tensor:
        calls.append(t)
        return weight * nn.functional.dropout(y, 0.5)

    def slope(gradient: Gradient) -> Tensor:
        calls.clear()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            end = integrate(Shared(noisy), normal(4, 3), Grid.uniform(0.0, 1.0, 6), Euler(), gradient=gradient).ys
            return torch.autograd.grad(end.sum(), weight)[0]

    expected = slope(Backprop())
    assert len(calls) == 6
    assert torch.equal(slope(Checkpoint(2)), expected)
    assert len(calls) == 12


def test_a_piece_has_a_step_or_more() -> None:
    with pytest.raises(UsageError, match="every must be at least 1"):
        Checkpoint(0)
