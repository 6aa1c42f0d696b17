"""B28: the mean-field ResNet: adjoint, derivative by the distribution of weights, errors by depth and width."""

from __future__ import annotations

import torch
from torch import Tensor

from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.control import Particles
from backbone.dynamics import Layered, Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.nets.mean_field import neurons
from backbone.schemes.explicit import RK4, Euler

WIDTH = 3


def check_mean_field(example: Example) -> list[Measured]:
    """Depth errs as 1/L, width as M^(-1/2); the adjoint is autograd's, and gives the derivative by the distribution."""
    depth = [_depth_error(n) for n in (64, 128)]
    width = [_width_error(m) for m in (64, 1024)]
    return [
        Measured.below("hand-written adjoint minus autograd, relative", _adjoint_error(), 1e-13),
        Measured.below("Gateaux derivative minus finite difference, relative", _gateaux_error(), 1e-6),
        Measured.order("order in 1 / depth", depth, 1),
        Measured.order("order in 1 / width", width, 0.5, ratio=16.0),
    ]


def _thetas(n: int, seed: int = 0) -> Tensor:
    return normal(n, 2 * WIDTH + 1, seed=seed)


def _depth_error(n: int) -> float:
    field = Particles(neurons, _thetas(16)).requires_grad_(False)
    ends = [
        integrate(Shared(field), normal(4, WIDTH), Grid.uniform(0.0, 1.0, steps), scheme).ys
        for steps, scheme in ((n, Euler()), (64, RK4()))
    ]
    return float((ends[0] - ends[1]).norm())


def _width_error(m: int) -> float:
    """Root mean square over 40 draws of m particles, of the field at a point; the limit by 200,000 particles."""
    x = normal(4, WIDTH, seed=1)
    exact = Particles(neurons, _thetas(200_000, seed=2)).requires_grad_(False)(0.0, x)
    fields = (Particles(neurons, _thetas(m, seed=100 + k)).requires_grad_(False) for k in range(40))
    return float(torch.stack([((field(0.0, x) - exact) ** 2).sum() for field in fields]).mean().sqrt())


class _Net:
    """The loss E = mean (<w1, X_L> - target)^2 / 2 of layers of particles, and p_l = dE/dX_l by hand."""

    def __init__(self) -> None:
        self.layers, self.m = 6, 5
        grid = Grid.uniform(0.0, 1.0, self.layers)
        self.f = Layered([Particles(neurons, _thetas(self.m, seed=k)) for k in range(self.layers)], grid)
        self.grid = grid
        self.x, self.w1 = normal(8, WIDTH, seed=20), normal(WIDTH, seed=21)
        self.target = normal(8, seed=22)

    def path(self) -> Tensor:
        return integrate(self.f, self.x, self.grid, Euler(), save="all").ys

    def adjoint(self, path: Tensor) -> list[Tensor]:
        """p(1) = (<w1, X> - y) w1 / batch, p_l = p_{l+1} + 1/(L M) sum_j p_{l+1} . grad_X f(X_l, theta_l^j)."""
        p = [((path[-1] @ self.w1 - self.target) / len(self.x))[:, None] * self.w1]
        for field, x in zip(reversed(self.f.fields), reversed(path[:-1]), strict=True):
            x = x.detach().requires_grad_()
            p.insert(0, p[0] + torch.autograd.grad(field(0.0, x), x, p[0])[0] / self.layers)
        return p


def _adjoint_error() -> float:
    net = _Net()
    path = net.path()
    loss = ((path[-1] @ net.w1 - net.target) ** 2).mean() / 2
    exact = torch.autograd.grad(loss, list(net.f.parameters()))
    p = net.adjoint(path.detach())
    worst = 0.0
    for k, slope in enumerate(exact):
        theta = _thetas(net.m, seed=k).requires_grad_()
        pulled = torch.stack([(p[k + 1] * neurons(path[k].detach(), particle[None])).sum() for particle in theta]).sum()
        by_hand = torch.autograd.grad(pulled, theta)[0] / (net.layers * net.m)
        worst = max(worst, float((by_hand - slope).norm() / slope.norm()))
    return worst


def _gateaux_error() -> float:
    """Layer 2's distribution moves by s (delta_theta - rho): dE/ds = E p . (f(X, theta) - mean f) / L, by both ways."""
    net, layer = _Net(), 2
    star = torch.randn(2 * WIDTH + 1, generator=seeded(30), dtype=torch.float64)
    path = net.path().detach()
    rho = net.f.fields[layer](0.0, path[layer])
    p = net.adjoint(path)[layer + 1]
    slope = float((p * (neurons(path[layer], star[None]) - rho)).sum().detach()) / net.layers

    def loss(s: float) -> float:
        x = path[layer]
        x = x + ((1 - s) * net.f.fields[layer](0.0, x) + s * neurons(x, star[None])) / net.layers
        for field in net.f.fields[layer + 1 :]:
            x = x + field(0.0, x) / net.layers
        return float((((x @ net.w1 - net.target) ** 2).mean() / 2).detach())

    difference = (loss(1e-5) - loss(-1e-5)) / 2e-5  # truncation 1e-10, rounding 1e-11
    return abs(slope - difference) / abs(difference)
