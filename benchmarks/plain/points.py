"""Networks that classify points, or carry them along, in plain PyTorch; Neural ODE by torchdiffeq used directly."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from plain.reversible import CoupledStage, Move
from torch import Tensor, nn
from torch.nn import functional
from torchdiffeq import odeint_adjoint


class PointNet(nn.Module):
    """Pad with zeros to a width, a flow, a linear layer; of a state of two halves it reads the second."""

    def __init__(self, flow: nn.Module, width: int, *, classes: int, halves: bool = False) -> None:
        super().__init__()
        self.flow = flow
        self.width = width
        self.before = width if halves else 0
        self.head = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        end = self.flow(functional.pad(x, (self.before, self.width - x.shape[1])))
        return self.head(end[:, self.before :])


class Neurons(nn.Module):
    """Constants and a matrix, as bare tensors."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.zeros(width))
        self.K = nn.ParameterList([torch.zeros(width, width)])

    def plain(self, x: Tensor) -> Tensor:
        return torch.tanh(functional.linear(x, self.K[0], self.b))

    def transposed(self, x: Tensor) -> Tensor:
        return torch.tanh(torch.addmm(self.b, x, self.K[0]))

    def potential_gradient(self, x: Tensor) -> Tensor:
        return self.plain(x) @ self.K[0]


def hamiltonian(width: int, layers: int, t1: float, classes: int) -> PointNet:
    h = t1 / layers

    def moves(layer: nn.Module) -> list[Move]:
        return [(0, -h, layer.plain), (1, h, layer.transposed)]

    stage = CoupledStage([Neurons(width) for _ in range(layers)], moves)
    return PointNet(stage, width, classes=classes, halves=True)


def two_layer_hamiltonian(width: int, layers: int, t1: float, classes: int) -> PointNet:
    h = t1 / layers

    def moves(pair: nn.Module) -> list[Move]:
        first, second = pair[0].potential_gradient, pair[1].potential_gradient
        return [(0, -h / 2, first), (1, h, second), (0, -h / 2, first)]

    blocks = [nn.ModuleList([Neurons(width), Neurons(width)]) for _ in range(layers)]
    return PointNet(CoupledStage(blocks, moves), width, classes=classes, halves=True)


class AdamsBashforth(nn.Module):
    """x' = tanh((K - K^T) x + b) by AB3, two RK4 steps to start."""

    def __init__(self, width: int, layers: int, t1: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Neurons(width) for _ in range(layers)])
        self.h = t1 / layers

    @staticmethod
    def slope(layer: nn.Module, x: Tensor) -> Tensor:
        return torch.tanh(x @ layer.K[0].T - x @ layer.K[0] + layer.b)

    def forward(self, x: Tensor) -> Tensor:
        slopes: list[Tensor] = []
        for layer in self.layers:
            slopes.append(self.slope(layer, x))
            if len(slopes) > 2:
                x = x + self.h / 12 * (23 * slopes[-1] - 16 * slopes[-2] + 5 * slopes[-3])
            else:
                x = rk4(lambda t, x, layer=layer: self.slope(layer, x), 0.0, self.h, x, slopes[-1])
        return x


def rk4(f: Callable[[float, Tensor], Tensor], t: float, h: float, x: Tensor, k1: Tensor) -> Tensor:
    k2 = f(t + h / 2, x + h / 2 * k1)
    k3 = f(t + h / 2, x + h / 2 * k2)
    k4 = f(t + h, x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def antisymmetric(width: int, layers: int, t1: float, classes: int) -> PointNet:
    return PointNet(AdamsBashforth(width, layers, t1), width, classes=classes)


class TimeField(nn.Module):
    """W2 tanh(W1 [x, t] + b1) + b2."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.enter = nn.Linear(features + 1, hidden)
        self.leave = nn.Linear(hidden, features)

    def forward(self, t: float | Tensor, x: Tensor) -> Tensor:
        timed = torch.cat([x, torch.full_like(x[:, :1], float(t))], dim=1)
        return self.leave(torch.tanh(self.enter(timed)))


class SolvedFlow(nn.Module):
    """torchdiffeq's dopri5 with its adjoint."""

    def __init__(self, width: int, hidden: int, t1: float) -> None:
        super().__init__()
        self.field = TimeField(width, hidden)
        self.ends = torch.tensor([0.0, t1], dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        return odeint_adjoint(self.field, x, self.ends, rtol=1e-5, atol=1e-5, method="dopri5")[-1]


def neural_ode(width: int, layers: int, t1: float, classes: int) -> PointNet:
    return PointNet(SolvedFlow(width, 32, t1), width, classes=classes)


class NodeEw(nn.Module):
    """x' = f(x, t; theta), theta' = W2 tanh(W1 theta + b1) + b2: theta by RK4 at half steps, x by the midpoint rule."""

    def __init__(self, n_steps: int, hidden: int) -> None:
        super().__init__()
        self.field = TimeField(2, hidden)
        n_weights = sum(weight.numel() for weight in self.field.parameters())
        self.velocity = nn.Sequential(nn.Linear(n_weights, 8), nn.Tanh(), nn.Linear(8, n_weights))
        self.n_steps = n_steps

    def forward(self, x: Tensor) -> Tensor:
        named = dict(self.field.named_parameters())
        h = 1 / self.n_steps
        theta = torch.cat([weight.reshape(-1) for weight in named.values()])
        thetas = [theta]
        for _ in range(2 * self.n_steps):
            theta = rk4(lambda t, theta: self.velocity(theta), 0.0, h / 2, theta, self.velocity(theta))
            thetas.append(theta)

        def f(k: int, x: Tensor) -> Tensor:
            pieces = torch.split(thetas[k], [weight.numel() for weight in named.values()])
            weights = {name: piece.reshape(named[name].shape) for name, piece in zip(named, pieces, strict=True)}
            return torch.func.functional_call(self.field, weights, (k * h / 2, x))

        for k in range(0, 2 * self.n_steps, 2):
            x = x + h * f(k + 1, x + h / 2 * f(k, x))
        return x


class Cnf(nn.Module):
    """The mean negative log-likelihood of points in the plane that flow back to normal ones, by RK4."""

    def __init__(self, n_steps: int, hidden: int) -> None:
        super().__init__()
        self.field = TimeField(2, hidden)
        self.n_steps = n_steps

    def slope(self, t: float, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x if x.requires_grad else x.requires_grad_()
        dx = self.field(t, x)
        trace = sum(torch.autograd.grad(dx[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(2))
        return dx, -trace

    def forward(self, points: Tensor) -> Tensor:
        x, change = points.detach().clone(), torch.zeros(len(points))
        h = -1 / self.n_steps
        for k in range(self.n_steps):
            t = 1 + k * h
            dx1, dp1 = self.slope(t, x)
            dx2, dp2 = self.slope(t + h / 2, x + h / 2 * dx1)
            dx3, dp3 = self.slope(t + h / 2, x + h / 2 * dx2)
            dx4, dp4 = self.slope(t + h, x + h * dx3)
            x = x + h / 6 * (dx1 + 2 * dx2 + 2 * dx3 + dx4)
            change = change + h / 6 * (dp1 + 2 * dp2 + 2 * dp3 + dp4)
        return -(-(x**2).sum(1) / 2 - math.log(2 * math.pi) - change).mean()


class MeanField(nn.Module):
    """x + 1/(L M) sum_j a_j tanh(w_j . x + b_j)."""

    def __init__(self, features: int, width: int, layers: int, particles: int) -> None:
        super().__init__()
        self.enter = nn.Linear(features, width)
        self.thetas = nn.ParameterList([torch.zeros(particles, 2 * width + 1) for _ in range(layers)])
        self.leave = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        width = x.shape[1]
        for theta in self.thetas:
            a, w, b = theta[:, :width], theta[:, width : 2 * width], theta[:, -1]
            x = x + torch.tanh(x @ w.T + b) @ a / (len(theta) * len(self.thetas))
        return self.leave(x)
