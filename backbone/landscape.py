"""A loss over the two weights of a deep network, with the stability that explains its shape.

Ruthotto, Deep neural networks motivated by ordinary differential equations: Y_{n+1} = Y_n + (10/N) tanh(K(theta) Y_n)
with the circulant-like K of rows (-a - b, a, b), (b, -a - b, a), (a, b, -a - b), theta = (a, b).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from backbone.dynamics import Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes.explicit import Euler

Weights = Float[Tensor, "map 2"]
Matrices = Float[Tensor, "map 3 3"]
TARGET = (1.0, 1.0)
LAYERS = 200
DURATION = 10.0


@dataclass(frozen=True, eq=False)
class Landscape:
    """loss of each theta against the target's output; growth: the largest real part of an eigenvalue of K(theta)."""

    theta: Weights
    loss: Float[Tensor, " map"]
    growth: Float[Tensor, " map"]


def landscape(theta: Weights, *, layers: int = LAYERS) -> Landscape:
    """Loss and growth at each theta; all of them are one batch of one run. The target has 200 layers."""
    target = last_features(torch.tensor([TARGET], dtype=theta.dtype), LAYERS)
    loss = ((last_features(theta, layers) - target) ** 2).sum((1, 2)) / 2
    return Landscape(theta, loss, torch.linalg.eigvals(layer_matrix(theta)).real.amax(1))


def layer_matrix(theta: Weights) -> Matrices:
    """K(theta)."""
    a, b = theta[:, 0], theta[:, 1]
    rows = [torch.stack(row, dim=1) for row in ((-a - b, a, b), (b, -a - b, a), (a, b, -a - b))]
    return torch.stack(rows, dim=1)


def last_features(theta: Weights, layers: int) -> Matrices:
    """Y_N from the unit matrix, for every theta."""
    K = layer_matrix(theta)
    y0 = torch.eye(3, dtype=theta.dtype).expand(len(theta), 3, 3)
    return integrate(Shared(lambda t, y: torch.tanh(K @ y)), y0, Grid.uniform(0.0, DURATION, layers), Euler()).ys


def square(n: int, half: float = 2.0) -> Weights:
    """n x n weights on a square about zero, the first one running slowest."""
    axis = torch.linspace(-half, half, n, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis)
