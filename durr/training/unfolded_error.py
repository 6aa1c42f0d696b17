"""The loss of a batch for units with a scheme of their own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from backbone.endpoint import AfterSteps
from backbone.integrate import integrate
from durr.degradation.degradation import Batch
from durr.training.loss import StoppedError
from durr.unfold import steps_grid
from durr.unit import RestorationUnit


@dataclass(frozen=True)
class UnfoldedError:
    """The error of `StoppedError`, which unfolds by Euler's scheme, for a unit with another one."""

    error: StoppedError

    def __call__(self, unit: torch.nn.Module, batch: Batch) -> Float[Tensor, ""]:
        assert isinstance(unit, RestorationUnit)
        if unit.stepping == "euler":
            return self.error(unit, batch)
        counts = self.error.stopping(batch)
        grid = steps_grid(max(1, int(counts.max())))
        lower = self.error.precision != torch.float32
        with torch.autocast(batch.degraded.device.type, self.error.precision, enabled=lower):
            until = AfterSteps(counts, grid)
            solved = integrate(unit, unit.start(batch.degraded), grid, unit.scheme, until=until, view=unit.image)
        errors = (solved.ys - batch.clean).square().mean(dim=(1, 2, 3))
        return (errors / self.error.degradation.typical_error(batch.level)).mean()
