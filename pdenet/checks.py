"""B29 and B30: what defines constrained filters and the blocks of PDE-Net, in numbers."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from backbone.checks.measured import Checkable, Measured
from backbone.dynamics import Dynamics, VectorField
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Euler
from pdenet.fields.field import Field
from pdenet.filters.filter_bank import FilterBank
from pdenet.filters.moments import Derivative
from pdenet.network.rhs import LearnedPDE

DOUBLE, CPU = torch.float64, torch.device("cpu")
PERIODIC = ("periodic", "periodic")
DERIVATIVES: tuple[Derivative, ...] = ((0, 1), (1, 1), (2, 0))
DIFFUSIVITY, BLOCKS = 0.1, 20


def check_sum_rules() -> list[Measured]:
    """Moments held up to order |a| + K - 1 give a derivative of order a to O(dx^K), whatever the free ones are."""
    found = []
    for accuracy in (1, 2, 3):
        coarse, fine = (_filter_errors(n, accuracy) for n in (512, 1024))
        for derivative, errors in zip(DERIVATIVES, zip(coarse, fine, strict=True), strict=True):
            what = f"order of a filter for derivative {derivative}, sum rules to {accuracy}"
            found.append(Measured.order(what, errors, accuracy))
    return found


def wave(n: int, derivative: Derivative = (0, 0)) -> Float[Tensor, "1 1 row col"]:
    """sin(y + 0.3) sin(2 x + 1.1) on n x n points of (0, 2 pi)^2, or a derivative of it."""
    axis = 2 * np.pi / n * np.arange(n)
    y, x = (
        k**order * np.sin(k * axis + phase + order * np.pi / 2)
        for k, phase, order in zip((1, 2), (0.3, 1.1), derivative, strict=True)
    )
    return torch.from_numpy(y[:, None] * x)[None, None]


def _filter_errors(n: int, accuracy: int) -> list[float]:
    dx = (2 * math.pi / n,) * 2
    bank = FilterBank(
        DERIVATIVES, dx=dx, boundary=PERIODIC, mode="constrained", accuracy=accuracy, dtype=DOUBLE, device=CPU
    )
    free = bank.parametrizations["kernels"].original
    with torch.no_grad():
        free.copy_(torch.randn(free.shape, generator=torch.Generator().manual_seed(0), dtype=DOUBLE))
        values = bank(wave(n))
    return [float((value - wave(n, one)[0]).abs().max()) for value, one in zip(values, DERIVATIVES, strict=True)]


class Heat(Dynamics):
    """du/dt = c (u_xx + u_yy) by filters of PDE-Net."""

    def __init__(self, n: int) -> None:
        super().__init__()
        dx = (2 * math.pi / n,) * 2
        self.filters = FilterBank(
            [(2, 0), (0, 2)], dx=dx, boundary=PERIODIC, size=7, mode="frozen", dtype=DOUBLE, device=CPU
        )

    def on(self, t0: float, t1: float) -> VectorField:
        return lambda t, u: DIFFUSIVITY * self.filters(u).sum(0).transpose(0, 1)


def check_pde_net() -> list[Measured]:
    """A chain of blocks is Euler's scheme with one set of weights; its error is of order dt."""
    errors = [_heat_error(blocks) for blocks in (BLOCKS, 2 * BLOCKS)]
    return [
        Measured.below("difference from blocks written by hand", _blocks_apart(), 0.0),
        Measured.order("order in dt of a chain of blocks, heat equation", errors, 1),
        Measured.below(
            f"error of {BLOCKS} blocks, heat equation", errors[0], 2.3e-3
        ),  # the prototype's 4.6e-4, times 5
    ]


def _heat_error(blocks: int) -> float:
    """At t = 0.2, largest, against the decay exp(-5 c t) of the wave."""
    with torch.no_grad():
        end = integrate(Heat(32), wave(32), Grid.uniform(0.0, 0.2, blocks), Euler()).ys
    return float((end - math.exp(-5 * DIFFUSIVITY * 0.2) * wave(32)).abs().max())


def _blocks_apart() -> float:
    """The untrained network of the paper, some blocks long, saved after each."""
    values = wave(16).numpy()[:, None].repeat(2, axis=1)
    field = Field(values=values, dt=0.01, dx=(2 * math.pi / 16,) * 2, names=("u",), boundary=PERIODIC)
    net = LearnedPDE.of(field, upwind=True, generator=torch.Generator().manual_seed(0), dtype=DOUBLE, device=CPU)
    with torch.no_grad():
        path = integrate(net, wave(16), Grid((0.0, 0.01, 0.02, 0.03)), Euler(), save="all").ys
        u, apart = wave(16), 0.0
        for block, (t0, t1) in enumerate(((0.0, 0.01), (0.01, 0.02), (0.02, 0.03)), start=1):
            u = torch.add(u, net.on(t0, t1)(t0, u), alpha=t1 - t0)
            apart = max(apart, float((path[block] - u).abs().max()))
    return apart


CHECKABLES = {
    "sum-rules": Checkable("pdenet/filters/moments.py", check_sum_rules),
    "pde-net": Checkable("pdenet/network/rhs.py", check_pde_net),
}
