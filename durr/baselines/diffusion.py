"""Perona-Malik diffusion by the house's integrator, stopped where the discrepancy says that the noise is gone.

The ancestor of moving-endpoint control: the heavier the noise, the later the best time to stop, and running on costs
more and more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from backbone.dynamics import Dynamics, VectorField
from backbone.grid import Grid
from backbone.integrate import Trajectory, integrate
from backbone.schemes import Euler

CONTRAST = 0.1  # differences above it are edges, on the scale of [0, 1]
STEP = 0.2  # of time: explicit Euler obeys the maximum principle up to 1/4
MAX_STEPS = 500  # the rule takes 81 on a photograph at sigma 95 of 255


class PeronaMalik(Dynamics):
    """du/dt = div(c grad u), c = 1 / (1 + |grad u|^2 / contrast^2), no flux across the border.

    Perona and Malik, IEEE TPAMI 12, 1990, eq. 3 and 7, with their scheme of differences to the four neighbours, eq. 8;
    the channels of a colour image share c, of their mean squared difference, so that their edges stay together.
    """

    def __init__(self, contrast: float = CONTRAST) -> None:
        super().__init__()
        self.contrast = contrast

    def on(self, t0: float, t1: float) -> VectorField:
        """The same field at every time."""
        return self.field

    def field(self, t: float, u: Float[Tensor, "batch channel row col"]) -> Float[Tensor, "batch channel row col"]:
        """The divergence of the flux between neighbours."""
        down, right = (self._flux(torch.diff(u, dim=dim)) for dim in (-2, -1))
        return torch.diff(nn.functional.pad(down, (0, 0, 1, 1)), dim=-2) + torch.diff(
            nn.functional.pad(right, (1, 1)), dim=-1
        )

    def _flux(self, slope: Float[Tensor, "batch channel row col"]) -> Float[Tensor, "batch channel row col"]:
        steepness = (slope / self.contrast).square().mean(dim=1, keepdim=True)
        return slope / (1 + steepness)


@dataclass(frozen=True, eq=False)
class Discrepancy:
    """Endpoint: a sample stops once it has moved as far as the noise had, mean (u - noisy)^2 >= sigma^2 (Morozov)."""

    noisy: Float[Tensor, "batch channel row col"]
    sigma: Float[Tensor, " batch"]

    def __call__(self, t: float, y: Float[Tensor, "batch channel row col"]) -> Bool[Tensor, " batch"]:
        return (y - self.noisy).square().mean(dim=(1, 2, 3)) >= self.sigma.square()


def diffuse(
    noisy: Float[Tensor, "batch channel row col"], sigma: Float[Tensor, " batch"], *, max_steps: int = MAX_STEPS
) -> Trajectory:
    """Each image diffused until its discrepancy reaches its sigma."""
    grid = Grid.uniform(0.0, STEP * max_steps, max_steps)
    return integrate(PeronaMalik(), noisy, grid, Euler(), until=Discrepancy(noisy, sigma))


def perona_malik(noisy: Float[np.ndarray, "row col *channel"], sigma: float) -> Float[np.ndarray, "row col *channel"]:
    """Perona-Malik diffusion of one image until the discrepancy reaches sigma."""
    state = torch.from_numpy(np.atleast_3d(noisy)).movedim(-1, 0)[None].contiguous()
    restored = diffuse(state, torch.full((1,), sigma, dtype=state.dtype)).ys[0]
    return restored.movedim(0, -1).numpy().reshape(noisy.shape)
