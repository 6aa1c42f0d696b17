"""The state of a solve between two steps: the batch, the scheme's memory, and which samples have stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float64, Inexact, Int
from torch import Tensor

from backbone.schemes.scheme import Memory


@dataclass(frozen=True, eq=False)
class State:
    """y: the whole batch. rows: the samples that are still stepped, None for all; `memory` belongs to them.

    stopped: samples that have reached their end and stay bit-equal from then on. stopped_at: their times, NaN before.
    """

    y: Inexact[Tensor, " batch *state"]
    memory: Memory
    rows: Int[Tensor, " stepped"] | None
    stopped: Bool[Tensor, " batch"]
    stopped_at: Float64[Tensor, " batch"]

    @classmethod
    def first(cls, y0: Inexact[Tensor, " batch *state"], memory: Memory) -> State:
        """The state before the first step: no sample has stopped."""
        stopped = torch.zeros(len(y0), dtype=torch.bool, device=y0.device)
        return cls(y0, memory, None, stopped, torch.full_like(stopped, torch.nan, dtype=torch.float64))

    @property
    def stepped(self) -> Inexact[Tensor, " stepped *state"]:
        """The samples to step next."""
        return self.y if self.rows is None else self.y.index_select(0, self.rows)

    def moved(self, y: Inexact[Tensor, " stepped *state"], memory: Memory) -> State:
        """The state after a step that took `stepped` to y; stopped samples keep their bits."""
        whole = y if self.rows is None else self.y.index_copy(0, self.rows, y)
        return replace(self, y=whole, memory=memory)

    def stop(self, ends: Bool[Tensor, " batch"], t: float) -> State:
        """The state once the samples of `ends` stop at time t: they leave the rows that are stepped."""
        stopped = self.stopped | ends
        stopped_at = torch.where(stopped & ~self.stopped, t, self.stopped_at)
        state = replace(self, stopped=stopped, stopped_at=stopped_at)
        done = stopped if self.rows is None else stopped[self.rows]
        if not bool(done.any()):
            return state
        kept = torch.nonzero(~done).squeeze(1)
        rows = kept if self.rows is None else self.rows[kept]
        return replace(state, rows=rows, memory=self.memory.select(kept))

    @property
    def finished(self) -> bool:
        """Whether every sample has stopped: no row is left."""
        return self.rows is not None and len(self.rows) == 0
