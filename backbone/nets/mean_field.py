"""Mean-field ResNet: infinitely wide layers by particles."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from backbone.control import Particles
from backbone.dynamics import Layered
from backbone.flow import EndOf, Flow
from backbone.grid import Grid
from backbone.nets.frame import linear
from backbone.schemes.explicit import Euler


def neurons(
    x: Float[Tensor, "batch feature"], theta: Float[Tensor, "particle weight"]
) -> Float[Tensor, "batch feature"]:
    """sum_j f(x, theta_j), f(x, theta) = a tanh(w x + b), theta = (a, w, b)."""
    a, w, b = torch.split(theta, [x.shape[1], x.shape[1], 1], dim=1)
    return torch.tanh(functional.linear(x, w, b[:, 0])) @ a


class MeanFieldResNet(nn.Module):
    """X_{l+1} = X_l + 1/(L M) sum_j f(X_l, theta_l^j), X_0 = W2 x, output <w1, X_L>: Euler for X' = int f rho dtheta.

    Lu, Ma, Lu, Lu, Ying, A mean-field analysis of deep ResNet, ICML 2020. Gradients of particles are to be multiplied
    by L M (`rate_factor`).
    """

    def __init__(self, features: int, width: int, *, layers: int, particles: int, generator: torch.Generator) -> None:
        super().__init__()
        grid = Grid.uniform(0.0, 1.0, layers)
        thetas = [torch.randn(particles, 2 * width + 1, generator=generator) for _ in range(layers)]
        self.enter = linear(features, width, generator)
        self.flow = EndOf(Flow(Layered([Particles(neurons, theta) for theta in thetas], grid), grid, Euler()))
        self.leave = linear(width, 1, generator)
        self.rate_factor = layers * particles

    def forward(self, x: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch 1"]:
        predicted: Tensor = self.leave(self.flow(self.enter(x)))
        return predicted
