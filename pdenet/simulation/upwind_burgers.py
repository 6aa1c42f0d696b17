"""PDE-Net's own Burgers data: second-order upwind convection, five-point diffusion and Heun steps on a fine grid.

u_t = -u u_x - v u_y + nu lap u, v_t = -u v_x - v v_y + nu lap v on a periodic square (Long, Lu, Dong, PDE-Net 2.0,
J. Comput. Phys. 399 (2019), section 4.1). The published figures are on these data, truncation errors included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from backbone.dynamics import Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Heun

FINER = 4  # inner points for each outer one, per axis
LARGEST_STEP = 1 / 1600


class UpwindBurgers:
    """dy/dt of y "run channel y x" = (u, v) on a periodic square of spacing dx.

    With first differences a_i = u_i - u_{i-1}: the backward difference (3 a_i - a_{i-1}) / (2 dx) meets a speed > 0,
    the forward one (3 a_{i+1} - a_{i+2}) / (2 dx) a speed < 0. The work space is made once, for one shape.
    """

    def __init__(self, shape: Sequence[int], dx: float, nu: float, *, device: torch.device, dtype: torch.dtype) -> None:
        runs, channels, rows, columns = shape
        self.dx = dx
        self.nu = nu
        self.along_x = torch.empty((runs, channels, rows, columns + 3), dtype=dtype, device=device)
        self.along_y = torch.empty((runs, channels, rows + 3, columns), dtype=dtype, device=device)
        self.one_sided = torch.empty((runs, channels, rows, columns), dtype=dtype, device=device)

    def __call__(self, t: float, y: Float[Tensor, "run channel y x"], /) -> Float[Tensor, "run channel y x"]:
        across = _differences(y, 3, self.along_x)
        along = _differences(y, 2, self.along_y)
        rate = across(2) - across(1)
        rate.add_(along(2)).sub_(along(1)).mul_(self.nu / self.dx**2)
        self.convect(rate, y[:, 0:1], across)
        self.convect(rate, y[:, 1:2], along)
        return rate

    def convect(self, rate: Tensor, speed: Float[Tensor, "run 1 y x"], a: Callable[[int], Tensor]) -> None:
        """rate -= speed * (one-sided derivative against the speed), both channels."""
        weight = 0.5 / self.dx
        torch.sub(a(0), a(1), alpha=3, out=self.one_sided)
        rate.addcmul_(speed.clamp(min=0), self.one_sided, value=weight)
        torch.sub(a(3), a(2), alpha=3, out=self.one_sided)
        rate.addcmul_(speed.clamp(max=0), self.one_sided, value=weight)


def _differences(y: Tensor, dim: int, work: Tensor) -> Callable[[int], Tensor]:
    """The periodic first differences a; the function's value at k is a_{i+k-1} at every point i, k = 0 to 3."""
    n = y.shape[dim]
    torch.sub(y.narrow(dim, 1, n - 1), y.narrow(dim, 0, n - 1), out=work.narrow(dim, 2, n - 1))
    torch.sub(y.narrow(dim, 0, 1), y.narrow(dim, n - 1, 1), out=work.narrow(dim, 1, 1))
    work.narrow(dim, 0, 1).copy_(work.narrow(dim, n, 1))
    work.narrow(dim, n + 1, 2).copy_(work.narrow(dim, 1, 2))
    return lambda k: work.narrow(dim, k, n)


def solve_upwind_burgers(
    initial: Float64[np.ndarray, "run channel y x"],
    *,
    length: float,
    times: Sequence[float],
    nu: float,
    burn_in: float,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
    told: Callable[[str], None] = lambda text: None,
) -> Float64[np.ndarray, "run time channel y_out x_out"]:
    """Every fourth point of the solution at `times` from `initial`, the fields on the fine grid.

    The first half of the runs is first advanced by `burn_in`, so that it holds steep fronts; the others are not.
    Raises Diverged if the explicit steps of at most 1/1600 blow up.
    """
    y = torch.as_tensor(initial, dtype=dtype, device=device)
    dx = length / y.shape[-1]
    early = len(y) // 2
    if early and burn_in > 0:
        told(f"first {early} runs: {burn_in:g} of time before the first snapshot")
        y = torch.cat((_advanced(y[:early], times[0] - burn_in, times[0], dx, nu), y[early:]))
    n_out = y.shape[-1] // FINER
    values = np.empty((y.shape[0], len(times), y.shape[1], n_out, n_out))
    for k, t in enumerate(times):
        y = _advanced(y, times[k - 1], t, dx, nu) if k else y
        values[:, k] = y[..., ::FINER, ::FINER].double().cpu().numpy()
        told(f"t = {t:g} of {times[-1]:g}")
    return values


def upwind_step(span: float) -> float:
    """The largest step of at most 1/1600 that divides a span of time."""
    return span / math.ceil(span / LARGEST_STEP * (1 - 1e-9))


def _advanced(y: Tensor, t0: float, t1: float, dx: float, nu: float) -> Tensor:
    rates = UpwindBurgers(y.shape, dx, nu, device=y.device, dtype=y.dtype)
    grid = Grid.uniform(t0, t1, round((t1 - t0) / upwind_step(t1 - t0)))
    return integrate(Shared(rates), y, grid, Heun()).ys
