"""Random schemes: what residual networks do in training, read as weak approximations of stochastic equations.

Each sample draws one number per step. The numbers of a solve follow from one seed that `start` draws, so that a step
run again (checkpoints) draws the same ones. After eval() a step takes the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.schemes.scheme import Batch, Memory, Scheme
from backbone.structured import Branches


@dataclass(frozen=True)
class Draws(Memory):
    """The seed of this solve and the number of steps taken; samples: of the whole batch that are still stepped."""

    seed: int = 0
    n_steps: int = 0
    batch: int = 0
    samples: Tensor | None = None

    @classmethod
    def begin(cls, y: Tensor, generator: torch.Generator) -> Draws:
        """Draw the seed of a solve from y."""
        return cls(seed=int(torch.randint(2**62, (), generator=generator)), batch=len(y))

    def select(self, samples: Tensor) -> Draws:
        """Fewer samples keep the numbers that they would have drawn in the whole batch."""
        return replace(self, samples=samples if self.samples is None else self.samples[samples])

    def uniform(self, y: Tensor) -> Tensor:
        """One number in [0, 1) per sample for the present step, shaped to multiply y."""
        generator = torch.Generator().manual_seed(self.seed + self.n_steps)
        numbers = torch.rand(self.batch, generator=generator, dtype=torch.float64).to(y)
        kept = numbers if self.samples is None else numbers[self.samples]
        return kept.reshape(-1, *[1] * (y.ndim - 1))

    def moved(self, n_evals: int) -> Draws:
        """After a step of n_evals evaluations."""
        return replace(self, n_evals=self.n_evals + n_evals, n_steps=self.n_steps + 1)


class Bernoulli(Scheme):
    """Stochastic depth: the increment D = step(y) - y of another scheme survives with probability p_n.

    "depth": y + (eta / p_n) D, eta ~ Bernoulli(p_n), mean D; it tends to the ODE. Huang et al., ECCV 2016.
    "sde": y + p_n D + (eta - p_n) D / sqrt(h), mean p_n D; it tends weakly to dX = p f dt + sqrt(p (1 - p)) f dB, to
    order 1 if 1 - 2 p_n = O(sqrt(h)). Lu et al., ICML 2018.
    survival: p_n of every step; generator: draws the seed of a solve.
    """

    def __init__(
        self, scheme: Scheme, survival: tuple[float, ...], *, scaling: str = "depth", generator: torch.Generator
    ) -> None:
        super().__init__()
        if scheme.equal_steps:
            raise UsageError("a step that may be left out has no history", where="Bernoulli", cure="wrap Euler()")
        if not all(0.0 < p <= 1.0 for p in survival):
            raise UsageError(f"survival must lie in (0, 1], got {survival}", where="Bernoulli", cure="linear_decay(n)")
        self.scheme = scheme
        self.survival = survival
        self.scaling = _known(scaling)
        self.generator = generator
        self.order = min(1, scheme.order) if scaling == "sde" else scheme.order
        self.requires = scheme.requires

    def start(self, y: Tensor) -> Memory:
        return Draws.begin(y, self.generator)

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(memory, Draws)
        y1, inner = self.scheme.step(f, t0, t1, y, Memory())
        p = self.survival[memory.n_steps]
        share = p if self.scaling == "sde" else 1.0
        if self.training:
            eta = (memory.uniform(y) < p).to(y.real.dtype)
            return y + self.share(eta, p, t1 - t0) * (y1 - y), memory.moved(inner.n_evals)
        return y1 if share == 1.0 else y + share * (y1 - y), memory.moved(inner.n_evals)

    def share(self, eta: Float[Tensor, " *sample"], p: float, h: float) -> Float[Tensor, " *sample"]:
        """What the increment is multiplied with when eta was drawn."""
        return eta / p if self.scaling == "depth" else p + (eta - p) / math.sqrt(h)

    def check_fit(self, field: VectorField, grid: Grid) -> None:
        if len(self.survival) != grid.n_steps:
            raise UsageError(
                f"{len(self.survival)} survival probabilities for {grid.n_steps} steps",
                where="Bernoulli",
                cure=f"linear_decay({grid.n_steps})",
            )


class ShakeShake(Scheme):
    """Two branches with random shares: y + h (eta first + (1 - eta) second), eta ~ U(0, 1). Order 1 in the mean.

    Gastaldi 2017. "sde": y + h (first + second) / 2 + sqrt(h) (eta - 1/2) (first - second), which tends weakly to
    dX = (f1 + f2) / 2 dt + (f1 - f2) / sqrt(12) dB. Lu et al., ICML 2018.
    """

    order = 1
    requires = Branches

    def __init__(self, *, scaling: str = "depth", generator: torch.Generator) -> None:
        super().__init__()
        self.scaling = _known(scaling)
        self.generator = generator

    def start(self, y: Tensor) -> Memory:
        return Draws.begin(y, self.generator)

    def step(self, f: VectorField, t0: float, t1: float, y: Batch, memory: Memory) -> tuple[Batch, Memory]:
        assert isinstance(f, Branches)
        assert isinstance(memory, Draws)
        h = t1 - t0
        first, second = f.first(t0, y), f.second(t0, y)
        mean = y + h / 2 * (first + second)
        if not self.training:
            return mean, memory.moved(2)
        return mean + self.share(memory.uniform(y), h) * (first - second), memory.moved(2)

    def share(self, eta: Float[Tensor, " *sample"], h: float) -> Float[Tensor, " *sample"]:
        """What the half difference of the branches is multiplied with when eta was drawn."""
        return (eta - 0.5) * (h if self.scaling == "depth" else math.sqrt(h))


def linear_decay(n_steps: int, last: float = 0.5) -> tuple[float, ...]:
    """Survival p_n = 1 - n / (N - 1) (1 - last): the first step always stays. Huang et al., ECCV 2016."""
    return tuple(1.0 - n / max(n_steps - 1, 1) * (1.0 - last) for n in range(n_steps))


def _known(scaling: str) -> str:
    if scaling not in ("depth", "sde"):
        raise UsageError(f"scaling='{scaling}' is unknown", where="scaling=", cure="scaling='depth' or scaling='sde'")
    return scaling
