"""B7, B16, B17: what small networks reach when they are trained, and how their best loss depends on depth."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import LBFGS, Adam

from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.dynamics import Dynamics, VectorField
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.points import PointNet, PointShape
from backbone.schemes.explicit import Euler
from backbone.synthetic import Labelled, ellipses, swiss_roll
from backbone.train.fit import fit
from backbone.train.gradient import Gradient

ADAM_STEPS = 120
LAYERS = 9
TAU = 1e-2


def check_points(example: Example) -> list[Measured]:
    """B16: ellipses are told apart by a Hamiltonian network, with a gradient that keeps no states."""
    accuracy = _accuracy(
        hamiltonian_net(PointShape(width=4, layers=8, t1=5.0), generator=seeded(2)),
        ellipses(1000, generator=seeded()),
        ellipses(600, generator=seeded(1)),
    )
    return [Measured.above("accuracy on ellipses, 8 layers, width 4", accuracy, 0.98)]


def _accuracy(net: PointNet, train: Labelled, test: Labelled) -> float:
    """On test points, after Adam on all training points at once."""
    net = net.double()

    def loss(net: nn.Module, batch: Labelled) -> Tensor:
        return functional.cross_entropy(net(batch.points), batch.labels)

    fit(Gradient(net, loss, Adam(net.parameters(), lr=0.05)), [train], n_steps=ADAM_STEPS)
    with torch.no_grad():
        return float((net(test.points).argmax(1) == test.labels).double().mean())


def check_width(example: Example) -> list[Measured]:
    """B17: nine tanh layers on the Swiss roll: the wider the better, mean over four seeds trained at once."""
    widths = (2, 3, 4, 8)
    accuracies = [_mean_accuracy(width) for width in widths]
    found = [
        Measured.above(f"Swiss roll, accuracy at width {b} minus that at {a}", more - less, 1e-3)
        for (a, b), (less, more) in zip(pairwise(widths), pairwise(accuracies), strict=True)
    ]
    return [*found, Measured.above("Swiss roll, accuracy at width 8", accuracies[-1], 0.98)]


class _Seeds(nn.Module):
    """x + tanh(K x + b) in nine layers for several seeds at once, "seed point feature"."""

    def __init__(self, width: int, n_seeds: int) -> None:
        super().__init__()
        K = torch.stack([normal(LAYERS, width, width, seed=seed) for seed in range(n_seeds)], dim=1)
        self.K = nn.Parameter(K / width**0.5)
        self.b = nn.Parameter(torch.zeros(LAYERS, n_seeds, 1, width, dtype=K.dtype))
        self.head = nn.Parameter(normal(n_seeds, width, 2, seed=9) / width**0.5)

    def forward(self, points: Tensor) -> Tensor:
        """Logits, "seed point class"."""
        x = points.expand(self.K.shape[1], *points.shape)
        for K, b in zip(self.K, self.b, strict=True):
            x = x + torch.tanh(torch.baddbmm(b, x, K))
        return x @ self.head


def _mean_accuracy(width: int) -> float:
    """Adam with 1e-2 on alternate points, tested on the others."""
    data, net = swiss_roll(512), _Seeds(width, 4)
    points = functional.pad(data.points, (0, width - 2))

    def loss(net: nn.Module, batch: Labelled) -> Tensor:
        answers = net(batch.points).flatten(0, 1)
        return 4 * functional.cross_entropy(answers, batch.labels.repeat(4))

    odd = Labelled(points[1::2], data.labels[1::2])
    fit(Gradient(net, loss, Adam(net.parameters(), lr=1e-2)), [Labelled(points[::2], data.labels[::2])], n_steps=1000)
    with torch.no_grad():
        return float((net(odd.points).argmax(2) == odd.labels).double().mean())


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
