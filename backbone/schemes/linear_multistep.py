"""The two-step scheme with a learned coefficient, the architecture LM-ResNet."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import VectorField
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.schemes.moves import Move
from backbone.schemes.two_step import TwoStep

LEAST_REVERSIBLE = 0.9  # going back multiplies rounding by 1/|k| a step: 5e-14 after 50 steps at 0.9, 3e33 at 0.1


class LinearMultistep(TwoStep):
    """y_{n+1} = (1 - k_n) y_n + k_n y_{n-1} + h f(y_n), as d_{n+1} = -k_n d_n + h f(y_n), y_{n+1} = y_n + d_{n+1}.

    Lu, Zhong, Li, Dong, ICML 2018. The first step is Euler's. k: one learned number per step after it, or one
    for all of them. It follows dy/dt = f / (1 + k), to order 1 (2 for k = 1), and is stable for -1 < k <= 1.
    """

    order = 1

    def __init__(self, k: Float[Tensor, ""] | Float[Tensor, " later_step"]) -> None:
        super().__init__()
        self.k = nn.Parameter(k.detach().clone())

    def moves(self, f: VectorField, t0: float, t1: float, number: int) -> Sequence[Move]:
        keep = None if number == 0 else -self._k(number)
        return Move(1, t1 - t0, t0, f, keep), Move(0, 1.0, t1, None)

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
