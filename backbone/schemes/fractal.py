"""The scheme of FractalNet: Heun's tableau with free coefficients and two branches."""

from __future__ import annotations

import torch
from torch import nn

from backbone.dynamics import VectorField
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.structured import Branches


class Fractal(Scheme):
    """k1 y + k2 (k3 y + f1(y)) + f2(k3 y + f1(y)), f1 = h first(t0, .), f2 = h/2 second(t1, .), k learned.

    Larsson, Maire, Shakhnarovich, ICLR 2017, read as in Lu et al., ICML 2018. It starts as Heun's scheme,
    k = (1/2, 1/2, 1), of order 2 where both branches are the same field; another k keeps the architecture only.
    """

    order = 2
    requires = Branches

    def __init__(self, k1: float = 0.5, k2: float = 0.5, k3: float = 1.0) -> None:
        super().__init__()
        self.k = nn.Parameter(torch.tensor([k1, k2, k3], dtype=torch.float64))

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Branches)
        h = t1 - t0
        k1, k2, k3 = self.k
        inner = k3 * y + h * f.first(t0, y)
        return k1 * y + k2 * inner + h / 2 * f.second(t1, inner), memory.after(2)
