"""B24: layer-parallel solves by MGRIT: factors per cycle, exact layers, equality with the serial solve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from backbone.checks.examples import normal, seeded
from backbone.checks.measured import Measured
from backbone.dynamics import Layered
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.layer_parallel import Mgrit
from backbone.layers import Neurons, bias
from backbone.levels import levels_of
from backbone.mgrit import Alone, residual, solve
from backbone.operators import Dense
from backbone.schemes.explicit import Euler
from backbone.solve import Sequential, Solve

WIDTH = 16
BATCH = 32


@dataclass(frozen=True, eq=False)
class SmoothLayers:
    """A deep stack whose weights change slowly from layer to layer, and a batch."""

    f: Layered
    grid: Grid
    y0: Tensor

    def to(self, device: torch.device) -> SmoothLayers:
        """The same on a device."""
        return SmoothLayers(self.f.to(device), self.grid, self.y0.to(device))

    def guess(self) -> Tensor:
        """The batch at all points."""
        return self.y0.detach().expand(len(self.grid.ts), *self.y0.shape).clone()


def smooth_layers(n: int, t1: float, *, width: int = WIDTH, batch: int = BATCH, seed: int = 0) -> SmoothLayers:
    """x' = tanh(K(t) x), K = A + B sin 3t + C cos 2t of normal A, B, C, t in [0, 1], in n Euler steps to t1."""
    matrices = [normal(width, width, seed=10 * seed + k) / math.sqrt(width) for k in (1, 2, 3)]
    fields = []
    for t in (k / n for k in range(n)):
        K = Dense(width, width, generator=seeded(), dtype=torch.float64)
        with torch.no_grad():
            K.weight.copy_(matrices[0] + matrices[1] * math.sin(3 * t) + matrices[2] * math.cos(2 * t))
        fields.append(Neurons(K, bias(width, K)))
    grid = Grid.uniform(0.0, t1, n)
    return SmoothLayers(Layered(fields, grid), grid, normal(batch, width, seed=10 * seed))


def check_mgrit() -> list[Measured]:
    """B24: the residual falls fast, the first layers are exact, states and gradient are those of the serial solve."""
    found = []
    for n, c, t1, bound in ((256, 8, 1.0, 0.02), (1024, 16, 1.0, 0.02), (256, 8, 5.0, 0.2)):
        worst = max(later / earlier for earlier, later in pairwise(residuals(smooth_layers(n, t1), c, cycles=5)))
        found.append(Measured.below(f"residual's factor per FCF cycle, N = {n}, c = {c}, T = {t1:g}", worst, bound))
    last = residuals(smooth_layers(256, 1.0), 8, cycles=8)[-1]
    found.append(Measured.below("residual after 8 cycles, N = 256, c = 8, T = 1", last, 1e-12))
    found.append(Measured("Jacobi sweeps until 64 layers are exact", jacobi_sweeps(smooth_layers(64, 5.0)), 64, 64))
    smooth = smooth_layers(256, 5.0)
    for k in (1, 2, 3):
        found.append(
            Measured(f"exact layers after {k} cycles, c = 16", exact_layers(smooth, 16, k), *2 * [32 * k + 15])
        )
    smooth = smooth_layers(256, 1.0)
    exact = solved(smooth, Sequential())
    for k, bound in ((1, 5e-2), (2, 5e-4), (3, 3e-6), (4, 3e-8)):
        error = difference(solved(smooth, Mgrit(cycles_back=k))[1:], exact[1:])
        found.append(Measured.below(f"gradient's error after {k} backward cycles, relative", error, bound))
    for name, mgrit in (("two levels", Mgrit()), ("three levels", Mgrit(levels=3, coarsen=4, cycles=12))):
        parallel = solved(smooth, mgrit)
        found.append(Measured.below(f"difference from the serial solve, {name}", difference(parallel, exact), 1e-12))
    return found


def residuals(smooth: SmoothLayers, coarsen: int, *, cycles: int) -> list[float]:
    """The norms of the residual after each FCF cycle from the batch at all points."""
    levels = levels_of(smooth.f, smooth.grid.steps, Euler(), levels=2, coarsen=coarsen)
    u = smooth.guess()
    g, norms = torch.zeros_like(u[1:]), []
    for _ in range(cycles):
        solve(levels, u, g, cycles=1, chain=Alone())
        norms.append(float(residual(levels[0], u, g).detach().norm()))
    return norms


@torch.no_grad()
def jacobi_sweeps(smooth: SmoothLayers) -> int:
    """How many times u_{n+1} <- Phi_n(u_n), all n at once, until nothing changes any more: the system is nilpotent."""
    (fine,) = levels_of(smooth.f, smooth.grid.steps, Euler(), levels=1, coarsen=2)
    u, sweeps = smooth.guess(), 0
    while not torch.equal(stepped := fine.many(0, 1, u[:-1]), u[1:]):
        u[1:] = stepped
        sweeps += 1
    return sweeps


def exact_layers(smooth: SmoothLayers, coarsen: int, cycles: int) -> int:
    """How many layers from the first on are exact, to a few dozen roundings."""
    exact = integrate(smooth.f, smooth.y0, smooth.grid, Euler(), save="all").ys
    u = smooth.guess()
    levels = levels_of(smooth.f, smooth.grid.steps, Euler(), levels=2, coarsen=coarsen)
    solve(levels, u, torch.zeros_like(u[1:]), cycles=cycles, chain=Alone())
    return int(((u - exact).abs().flatten(1).amax(1) > 1e-13).int().argmax()) - 1


def solved(smooth: SmoothLayers, how: Solve) -> list[Tensor]:
    """The last state x, then d |x|^2 / 2 / d (y0, weights)."""
    y0 = smooth.y0.clone().requires_grad_()
    end = integrate(smooth.f, y0, smooth.grid, Euler(), solve=how).ys
    return [end.detach(), *torch.autograd.grad((end**2).sum() / 2, [y0, *smooth.f.parameters()])]


def difference(found: Sequence[Tensor], exact: Sequence[Tensor]) -> float:
    """The largest difference of two lists of tensors, of each relative to its norm."""
    return max(float((a - b).norm() / b.norm()) for a, b in zip(found, exact, strict=True))
