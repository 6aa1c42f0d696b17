"""The terminal time as a control: when each sample of the batch stops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Inexact, Int
from torch import Tensor

from backbone.errors import UsageError
from backbone.grid import Grid


@runtime_checkable
class Endpoint(Protocol):
    """Which samples stop at time t in state y; asked at the start and after every step.

    y is always the whole batch in its first order; a stopped sample stays in its last state and its answer is ignored.
    """

    def __call__(self, t: float, y: Inexact[Tensor, " batch *state"]) -> Bool[Tensor, " batch"]: ...


@dataclass(frozen=True, eq=False)
class AfterSteps:
    """Sample i stops after counts[i] steps of the grid; 0 returns it as it came.

    Raises UsageError if a count lies outside 0 ... n_steps.
    """

    counts: Int[Tensor, " batch"]
    grid: Grid

    def __post_init__(self) -> None:
        low, high = int(self.counts.min()), int(self.counts.max())
        if low < 0 or high > self.grid.n_steps:
            raise UsageError(
                f"counts run from {low} to {high}, the grid has {self.grid.n_steps} steps",
                where="AfterSteps",
                cure="use a longer grid or smaller counts",
            )

    def __call__(self, t: float, y: Inexact[Tensor, " batch *state"]) -> Bool[Tensor, " batch"]:
        ends = torch.tensor(self.grid.ts, dtype=torch.float64, device=self.counts.device)[self.counts]
        return (ends <= t).to(y.device)
