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
COARSEST = 4  # steps


def check_deep_limit(example: Example) -> list[Measured]:
    """B7: the least E_N = loss + tau (mean |theta|^2 + N sum |theta_n - theta_{n-1}|^2) tends to a limit as 1/N."""
    turn = TurnedPoints()
    minima = [float(turn.energy(turn.minimiser(n)).detach()) for n in (4, 8, 16, 32)]
    gaps = [a - b for a, b in pairwise(minima)]
    return [
        Measured(f"ratio of differences of minima, N = {n}, {2 * n}, {4 * n}", gaps[k] / gaps[k + 1], 1.6, 2.6)
        for k, n in enumerate((4, 8))
    ]


class Control(Dynamics):
    """dx/dt = tanh(K(t) x + b(t)) in the plane, theta = (K, b) constant on each of N steps, "step 6"."""

    def __init__(self, theta: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(theta)

    def on(self, t0: float, t1: float) -> VectorField:
        theta = self.theta[round(t0 * len(self.theta))]
        return lambda t, x: torch.tanh(x @ theta[:4].reshape(2, 2) + theta[4:])

    def refined(self) -> Tensor:
        """theta on half the steps."""
        return self.theta.detach().repeat_interleave(2, 0)


class TurnedPoints:
    """The flow to t = 1 is to turn 32 points by a right angle and shift them; each seed has points of its own."""

    def __init__(self, seed: int = 3) -> None:
        self.points = normal(32, 2, seed=seed)
        self.target = torch.stack([-self.points[:, 1], self.points[:, 0]], dim=1) + 0.3
        self._known: dict[int, Control] = {}

    def energy(self, control: Control) -> Tensor:
        """E_N."""
        theta = control.theta
        end = integrate(control, self.points, Grid.uniform(0.0, 1.0, len(theta)), Euler()).ys
        roughness = len(theta) * ((theta[1:] - theta[:-1]) ** 2).sum()
        return ((end - self.target) ** 2).sum(1).mean() / 2 + TAU * ((theta**2).sum(1).mean() + roughness)

    def minimiser(self, n: int) -> Control:
        """The control of least energy on n = 4, 8, 16, ... steps, from the one on half as many."""
        if n not in self._known:
            self._known[n] = self._minimised(
                torch.zeros(n, 6, dtype=torch.float64) if n == COARSEST else self.minimiser(n // 2).refined()
            )
        return self._known[n]

    def _minimised(self, start: Tensor) -> Control:
        control = Control(start)
        optimiser = LBFGS(
            control.parameters(),
            max_iter=300,
            tolerance_grad=1e-9,
            tolerance_change=1e-14,
            line_search_fn="strong_wolfe",
        )
        fit(Gradient(control, lambda net, batch: self.energy(control), optimiser), [None], n_steps=1)
        return control
