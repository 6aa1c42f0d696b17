"""The forward stability of a network: eigenvalues of its layers' Jacobians, and how a perturbation grows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Inexact
from torch import Tensor

from backbone.dynamics import Dynamics, VectorField
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes.explicit import Euler
from backbone.schemes.scheme import Scheme
from backbone.structured import SecondOrder


@dataclass(frozen=True)
class Stability:
    """real_part: the largest of an eigenvalue of df/dy, over samples and steps: growth where it is positive.

    step_radius: the largest |h lambda|; Euler needs |1 + h lambda| <= 1, AB3 0.72 and RK4 2.83 on the imaginary axis.
    growth: |delta y(end)| / |delta y(0)| of the most amplified of random small perturbations.
    """

    real_part: float
    step_radius: float
    growth: float


def stability_report(
    f: Dynamics, y0: Inexact[Tensor, " batch *state"], grid: Grid, scheme: Scheme | None = None, *, seed: int = 0
) -> Stability:
    """How stable the flow from y0 is. scheme: Euler by default. Haber and Ruthotto, Inverse Problems 34 (2018)."""
    scheme = scheme or Euler()
    path = integrate(f, y0, grid, scheme, save="all").ys.detach()
    real, radius = [], []
    for (t0, t1), y in zip(grid.steps, path[:-1], strict=True):
        values = eigenvalues(f.on(t0, t1), t0, y)
        real.append(float(values.real.max()))
        radius.append(float(values.abs().max()) * abs(t1 - t0))
    return Stability(max(real), max(radius), _growth(f, y0, grid, scheme, path[-1], seed))


def eigenvalues(field: VectorField, t: float, y: Inexact[Tensor, " batch *state"]) -> Complex[Tensor, "batch entry"]:
    """Those of df/dy for every sample; of a force their square roots, the rates of y'' = lambda^2 y."""
    with torch.enable_grad():
        y = y.detach().requires_grad_()
        slopes = field(t, y).flatten(1)
        # samples do not mix: one pass gives the same row of every sample's Jacobian
        rows = [torch.autograd.grad(column.sum(), y, retain_graph=True)[0].flatten(1) for column in slopes.T]
    values: Tensor = torch.linalg.eigvals(torch.stack(rows, dim=1))
    return values.sqrt() if isinstance(field, SecondOrder) else values


@torch.no_grad()
def _growth(f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, end: Tensor, seed: int) -> float:
    """The square root of the format's precision as size: differences keep half of the digits."""
    generator = torch.Generator().manual_seed(seed)
    delta = torch.randn(y0.shape, generator=generator, dtype=y0.dtype) * torch.finfo(y0.dtype).eps ** 0.5
    moved = integrate(f, y0 + delta, grid, scheme).ys
    return float(((moved - end).flatten(1).norm(dim=1) / delta.flatten(1).norm(dim=1)).max())
