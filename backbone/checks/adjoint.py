"""B18-B21: gradients as adjoint equations, Pontryagin's Hamiltonian, weights that stand still or move."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from backbone.adaptive import Adaptive
from backbone.adjoint import ContinuousAdjoint
from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.checks.parallel import difference
from backbone.dynamics import Autonomous, Dynamics, Layered, Shared
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.nets.frame import linear
from backbone.nets.neural_ode import TimeField
from backbone.nets.node_ew import JointField, NodeEw
from backbone.schemes.explicit import RK4, DormandPrince, Euler, Midpoint
from backbone.schemes.scheme import Scheme
from backbone.solve import Sequential, Solve
from backbone.tape import saved_bytes


def check_neural_ode(example: Example) -> list[Measured]:
    """B18: the adjoint's gradient has the scheme's order, keeps the solver's tolerance and forgets the depth."""
    f = Shared(TimeField(4, 16, seeded())).double()
    exact = gradient_of(f, Grid.uniform(0.0, 1.0, 256), RK4(), Backprop())
    found = []
    for scheme, n in ((Euler(), 64), (Midpoint(), 32), (RK4(), 16)):
        grids = [Grid.uniform(0.0, 1.0, n * m) for m in (1, 2)]
        adjoint = [gradient_of(f, grid, scheme, ContinuousAdjoint()) for grid in grids]
        backprop = [gradient_of(f, grid, scheme, Backprop()) for grid in grids]
        name = type(scheme).__name__
        for title, slopes in (("adjoint gradient", adjoint), ("backprop gradient", backprop)):
            errors = [float((slope - exact).norm()) for slope in slopes]
            found.append(Measured.order(f"order of the {title}, {name}", errors, scheme.order))
    for tolerance in (1e-3, 1e-6, 1e-9):
        solve = Adaptive(rtol=tolerance, atol=tolerance)
        slope = gradient_of(f, Grid((0.0, 1.0)), DormandPrince(), ContinuousAdjoint(), solve)
        error = float((slope - exact).norm() / exact.norm())
        found.append(Measured.below(f"adjoint gradient's error, tolerance {tolerance:g}", error, 20 * tolerance))
    kept = [_kept(f, gradient, n) for gradient in (ContinuousAdjoint(), Backprop()) for n in (8, 512)]
    return [
        *found,
        Measured("bytes kept by the adjoint, 512 steps over 8", kept[1] / kept[0], 1.0, 1.0),
        Measured.above("bytes kept by backprop, 512 steps over 8", kept[3] / kept[2], 30.0),
        _pontryagin(),
    ]


def gradient_of(f: Dynamics, grid: Grid, scheme: Scheme, gradient: Gradient, solve: Solve = Sequential()) -> Tensor:
    """d |y(end)|^2 / 2 / d (y0, weights), in one vector."""
    y0 = normal(3, 4, seed=5).requires_grad_()
    end = integrate(f, y0, grid, scheme, solve=solve, gradient=gradient).ys
    slopes = torch.autograd.grad((end**2).sum() / 2, [y0, *f.parameters()])
    return torch.cat([slope.reshape(-1) for slope in slopes])


def _kept(f: Dynamics, gradient: Gradient, n: int) -> int:
    y0 = normal(3, 4)
    return saved_bytes(lambda: integrate(f, y0, Grid.uniform(0.0, 1.0, n), Euler(), gradient=gradient))[1]


def _pontryagin() -> Measured:
    """B19: dJ/dtheta_t = -grad_theta H_t, H_t = p_{t+1} . x_{t+1}, p_t = grad_x H_t, p_T = -grad loss."""
    layers = [Autonomous(nn.Sequential(linear(4, 4, seeded(k)), nn.Tanh())).double() for k in range(5)]
    grid = Grid.uniform(0.0, 5.0, 5)
    f = Layered(layers, grid)
    path = integrate(f, normal(3, 4), grid, Euler(), save="all").ys
    exact = torch.autograd.grad((path[-1] ** 2).sum() / 2, list(f.parameters()))
    p = -path[-1].detach()
    found: list[Tensor] = []
    for layer, x in zip(reversed(layers), reversed(path[:-1].detach()), strict=True):
        x.requires_grad_()
        hamiltonian = (p * (x + layer(0.0, x))).sum()
        p, *by_theta = torch.autograd.grad(hamiltonian, [x, *layer.parameters()])
        found = [*by_theta, *found]
    error = max(float((a + b).abs().max()) for a, b in zip(exact, found, strict=True))
    return Measured.below("Pontryagin's grad_theta H + backprop gradient", error, 1e-14)


def check_node_ew(example: Example) -> list[Measured]:
    """B20, B21: a neural ODE where the weights stand still; else their gradients are those of the joint equation."""
    grid = Grid.uniform(0.0, 1.0, 16)
    net = NodeEw(2, hidden=8, grid=grid, scheme=RK4(), generator=seeded()).double()
    x, field = normal(5, 2), net.evolved.field
    still = float((net(x) - integrate(Shared(field), x, grid, RK4()).ys).abs().max().detach())
    for weight in net.evolved.velocity.parameters():
        nn.init.normal_(weight, std=0.3, generator=seeded(1))
    weights = list(net.parameters())
    exact, adjoint = (_joint_gradient(net, x, gradient) for gradient in (Backprop(), ContinuousAdjoint()))
    found = torch.autograd.grad((net(x) ** 2).sum(), weights)
    return [
        Measured.below("difference from a neural ODE while g = 0", still, 0.0),
        Measured.below("gradient minus that of the joint equation, relative", difference(found, exact), 1e-4),
        Measured.below("adjoint of the joint equation minus its gradient, relative", difference(adjoint, exact), 1e-9),
        Measured.above("gradient of theta1", float(found[-1].norm()), 1e-3),
    ]


def _joint_gradient(net: NodeEw, x: Tensor, gradient: Gradient) -> tuple[Tensor, ...]:
    """d |x(1)|^2 / d (theta0, theta1) where states and weights are solved together, by 256 steps of RK4."""
    theta0 = [weight.reshape(-1) for weight in net.evolved.field.parameters()]
    start = torch.cat([x.reshape(-1), *theta0])[None]
    f, grid = Shared(JointField(net.evolved, 2)), Grid.uniform(0.0, 1.0, 256)
    end = integrate(f, start, grid, RK4(), gradient=gradient).ys[0, : x.numel()]
    return torch.autograd.grad((end**2).sum(), list(net.parameters()))
