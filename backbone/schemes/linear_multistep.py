"""The two-step scheme with a learned coefficient, the architecture LM-ResNet."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import VectorField
from backbone.errors import NotReversible, UsageError
from backbone.grid import Grid
from backbone.schemes.scheme import Batch, Memory, Scheme

LEAST_REVERSIBLE = 0.9  # going back multiplies rounding by 1/|k| a step: 5e-14 after 50 steps at 0.9, 3e33 at 0.1


@dataclass(frozen=True)
class Increment(Memory):
    """The last increment d_n = y_n - y_{n-1}, None at rest, and how many steps were taken."""

    d: Tensor | None = None
    n_steps: int = 0


class LinearMultistep(Scheme):
    """y_{n+1} = (1 - k_n) y_n + k_n y_{n-1} + h f(y_n), as d_{n+1} = -k_n d_n + h f(y_n), y_{n+1} = y_n + d_{n+1}.

    Lu, Zhong, Li, Dong, ICML 2018. The first step is Euler's. k: one learned number per step after it, or one
    for all of them. It follows dy/dt = f / (1 + k), to order 1 (2 for k = 1), and is stable for -1 < k <= 1.
    """

    order = 1
    equal_steps = True

    def __init__(self, k: Float[Tensor, ""] | Float[Tensor, " later_step"]) -> None:
        super().__init__()
        self.k = nn.Parameter(k.detach().clone())

    def start(self, y: Tensor) -> Memory:
        return Increment()

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(memory, Increment)
        slope, h = f(t0, y), t1 - t0
        d = slope if h == 1.0 else h * slope  # the networks' steps: one pass over the state less
        if memory.d is not None:
            d = torch.addcmul(d, self._k(memory.n_steps), memory.d, value=-1)
        return y + d, Increment(memory.n_evals + 1, d, memory.n_steps + 1)

    def back(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(memory, Increment)
        assert memory.d is not None
        y = y - memory.d
        n = memory.n_steps - 1
        if n == 0:
            return y, replace(memory, d=None, n_steps=0)
        k = self._k(n)
        if float(k.abs()) == 0.0:
            raise NotReversible("k = 0 forgets the step before", where="LinearMultistep", cure="use another gradient")
        return y, Increment(memory.n_evals + 1, ((t1 - t0) * f(t0, y) - memory.d) / k, n)

    def reversible(self) -> bool:
        """Whether min |k_n| > 0.9."""
        return float(self.k.detach().abs().min()) > LEAST_REVERSIBLE

    def check_fit(self, field: VectorField, grid: Grid) -> None:
        if self.k.ndim == 1 and len(self.k) != grid.n_steps - 1:
            raise UsageError(
                f"{len(self.k)} coefficients k for {grid.n_steps} steps",
                where="LinearMultistep",
                cure=f"give {grid.n_steps - 1}, one for each step but the first",
            )

    def _k(self, step: int) -> Tensor:
        return self.k if self.k.ndim == 0 else self.k[step - 1]
