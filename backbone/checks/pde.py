"""B33-B36: networks after parabolic and hyperbolic equations, implicit coupling, lean convolutions."""

from __future__ import annotations

import torch
from torch import Tensor

from backbone.checks.examples import Example, normal, seeded
from backbone.checks.measured import Measured
from backbone.checks.steps import order_of, there_and_back
from backbone.dynamics import Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.layers import PotentialGradient
from backbone.operators import Convolution, Lean, Operator
from backbone.schemes.explicit import Euler
from backbone.schemes.leapfrog import Leapfrog
from backbone.schemes.symplectic import SymplecticEuler
from backbone.stiff import DepthwiseStiff
from backbone.structured import SecondOrder, Separable

DOUBLE = torch.float64


def check_parabolic(example: Example) -> list[Measured]:
    """Two states only come closer as long as h |K|^2 <= 2, here 1.9, through 200 steps."""
    field = _layer()
    h = 1.9 / float(norm(field.K, normal(1, 3, 8, 8))) ** 2
    grid = Grid.uniform(0.0, 200 * h, 200)
    paths = [integrate(Shared(field), normal(2, 3, 8, 8, seed=k), grid, Euler(), save="all").ys for k in (1, 2)]
    apart = (paths[0] - paths[1]).flatten(2).norm(dim=2)
    growth = float((apart[1:] - apart[:-1]).max())
    return [
        Measured("largest growth of a distance in a step, h |K|^2 = 1.9", growth, -10.0, 1e-12),
        Measured("distance after 200 steps over the first", float((apart[-1] / apart[0]).max()), 0.0, 0.99),
    ]


def _layer() -> PotentialGradient:
    return PotentialGradient(Convolution(3, 3, generator=seeded(), dtype=DOUBLE)).requires_grad_(False)


def norm(K: Operator, x: Tensor) -> Tensor:
    """|K| by the power method on K^T K."""
    for _ in range(200):
        x = K.transpose(K(x / x.norm()))
    largest: Tensor = x.norm().sqrt()
    return largest


def check_hyperbolic(example: Example) -> list[Measured]:
    """Leapfrog undoes itself, and is symplectic Euler for x' = v, v' = -K^T sigma(K x) started half a kick late."""
    force, h = _layer(), 0.2
    y0 = normal(2, 3, 8, 8)
    grid = Grid.uniform(0.0, 100 * h, 100)
    error = there_and_back(Leapfrog(), lambda step: SecondOrder(force), y0, grid)
    end = integrate(Shared(SecondOrder(force)), y0, grid, Leapfrog()).ys
    start = torch.cat([-h / 2 * force(0.0, y0), y0], dim=1)
    twin = integrate(Shared(Separable(force, lambda t, v: v)), start, grid, SymplecticEuler()).ys[:, 3:]
    return [
        Measured.below("error after 100 layers there and back", error, 1e-11),
        Measured.below("leapfrog minus symplectic Euler", float((end - twin).abs().max()), 1e-11),
        order_of("Leapfrog", "Liouville"),
    ]


def check_imex(example: Example) -> list[Measured]:
    """The implicit solve is exact and damps, for steps as long as one likes."""
    field = DepthwiseStiff(normal(2, 3, 3), lambda t, y: torch.tanh(y), alpha=0.5).requires_grad_(False)
    r, h = normal(3, 2, 16, 16), 5.0
    z = field.resolvent(h, r)
    residual = z + h * (field.nonlinear(0.0, z) - field(0.0, z)) - r
    return [
        Measured.below("residual of the implicit solve, h = 5", float(residual.abs().max()), 1e-12),
        Measured.below(
            "largest |z| / |r|, h = 5", float((z.flatten(1).norm(dim=1) / r.flatten(1).norm(dim=1)).max()), 1.0
        ),
        order_of("Imex"),
    ]


def check_lean(example: Example) -> list[Measured]:
    """n^2 + 5 n numbers for n channels, and the same operator as a full convolution with those weights."""
    n = 16
    K = Lean(n, generator=seeded(), dtype=DOUBLE).requires_grad_(False)
    full = Convolution(n, n, generator=seeded(), dtype=DOUBLE).requires_grad_(False)
    impulses = torch.zeros(n, n, 3, 3, dtype=DOUBLE)
    impulses[range(n), range(n), 1, 1] = 1.0
    full.weight.copy_(K(impulses).flip((2, 3)).transpose(0, 1))
    x = normal(2, n, 7, 6)
    return [
        Measured("numbers in a lean convolution, 16 channels", sum(w.numel() for w in K.parameters()), 336, 336),
        Measured.below("lean minus full convolution", float((K(x) - full(x)).abs().max()), 1e-13),
    ]
