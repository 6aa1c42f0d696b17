"""B7: how the best loss of a network depends on its depth."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.optim import LBFGS

from backbone.checks.examples import Example, normal
from backbone.checks.measured import Measured
from backbone.dynamics import Dynamics, VectorField
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes.explicit import Euler
from backbone.train.fit import fit
from backbone.train.gradient import Gradient

TAU = 1e-2


def check_deep_limit(example: Example) -> list[Measured]:
    """B7: the least E_N = loss + tau (mean |theta|^2 + N sum |theta_n - theta_{n-1}|^2) tends to a limit as 1/N."""
    minima: list[float] = []
    control: _Control | None = None
    for n in (4, 8, 16, 32):
        control = _minimised(n, control)
        minima.append(float(_energy(control).detach()))
    gaps = [a - b for a, b in pairwise(minima)]
    return [
        Measured(f"ratio of differences of minima, N = {n}, {2 * n}, {4 * n}", gaps[k] / gaps[k + 1], 1.6, 2.6)
        for k, n in enumerate((4, 8))
    ]


class _Control(Dynamics):
    """dx/dt = tanh(K(t) x + b(t)) in the plane, theta = (K, b) constant on each of N steps, "step 6"."""

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)

    def on(self, t0: float, t1: float) -> VectorField:
        theta = self.theta[round(t0 * len(self.theta))]
        return lambda t, x: torch.tanh(x @ theta[:4].reshape(2, 2) + theta[4:])


def _energy(control: _Control) -> Tensor:
    """The flow to t = 1 is to turn points by a right angle and shift them."""
    theta, x = control.theta, normal(32, 2, seed=3)
    target = torch.stack([-x[:, 1], x[:, 0]], dim=1) + 0.3
    end = integrate(control, x, Grid.uniform(0.0, 1.0, len(theta)), Euler()).ys
    roughness = len(theta) * ((theta[1:] - theta[:-1]) ** 2).sum()
    return ((end - target) ** 2).sum(1).mean() / 2 + TAU * ((theta**2).sum(1).mean() + roughness)


def _minimised(n: int, coarse: _Control | None) -> _Control:
    """The control of least energy on n steps, from the one on half as many."""
    start = torch.zeros(n, 6, dtype=torch.float64) if coarse is None else coarse.theta.detach().repeat_interleave(2, 0)
    control = _Control(start)
    optimiser = LBFGS(
        control.parameters(), max_iter=300, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )
    fit(Gradient(control, lambda net, batch: _energy(control), optimiser), [None], n_steps=1)
    return control
