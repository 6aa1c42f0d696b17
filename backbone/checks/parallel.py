"""B24: layer-parallel solves by MGRIT: factors per cycle, exact layers, equality with the serial solve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from backbone.checks.examples import normal, seeded
from backbone.dynamics import Layered
from backbone.grid import Grid
from backbone.layers import Neurons, bias
from backbone.operators import Dense

WIDTH = 16
BATCH = 32


@dataclass(frozen=True, eq=False)
class SmoothLayers:
    """A deep stack whose weights change slowly from layer to layer, and a batch."""

    f: Layered
    grid: Grid
    y0: Tensor

    def guess(self) -> Tensor:
        """The batch at all points."""
        return self.y0.detach().expand(len(self.grid.ts), *self.y0.shape).clone()


def smooth_layers(n: int, t1: float, *, width: int = WIDTH, batch: int = BATCH) -> SmoothLayers:
    """x' = tanh(K(t) x), K = A + B sin 3t + C cos 2t of normal A, B, C, t in [0, 1], in n Euler steps of length t1/n."""
    matrices = [normal(width, width, seed=seed) / math.sqrt(width) for seed in (1, 2, 3)]
    fields = []
    for t in (k / n for k in range(n)):
        K = Dense(width, width, generator=seeded(), dtype=torch.float64)
        with torch.no_grad():
            K.weight.copy_(matrices[0] + matrices[1] * math.sin(3 * t) + matrices[2] * math.cos(2 * t))
        fields.append(Neurons(K, bias(width, K)))
    grid = Grid.uniform(0.0, t1, n)
    return SmoothLayers(Layered(fields, grid), grid, normal(batch, width))
