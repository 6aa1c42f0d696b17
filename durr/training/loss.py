"""The loss of a batch: the error at each sample's stopping time, in which every noise level counts alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from backbone.endpoint import AfterSteps
from backbone.integrate import integrate
from backbone.schemes import Euler
from durr.degrade import Batch
from durr.unfold import steps_grid
from durr.unit import RestorationUnit

ERROR_PER_LEVEL, ERROR_FLOOR = 0.02, 1e-4  # about the mean squared error a good denoiser leaves at level sigma


@dataclass(frozen=True)
class StoppedError:
    """mean over samples of MSE(X(tau), clean) / (ERROR_PER_LEVEL sigma + ERROR_FLOOR), X unfolded for tau steps.

    stopping: tau of every sample of a batch. precision: of the convolutions, bfloat16 where the processor has it.
    """

    stopping: Callable[[Batch], Int[Tensor, " batch"]]
    precision: torch.dtype

    def __call__(self, unit: torch.nn.Module, batch: Batch) -> Float[Tensor, ""]:
        assert isinstance(unit, RestorationUnit)
        counts = self.stopping(batch)
        grid = steps_grid(max(1, int(counts.max())))
        lower = self.precision != torch.float32
        with torch.autocast(batch.noisy.device.type, self.precision, enabled=lower):
            until = AfterSteps(counts, grid)
            solved = integrate(unit, unit.start(batch.noisy), grid, Euler(), until=until, view=unit.image)
        errors = (solved.ys - batch.clean).square().mean(dim=(1, 2, 3))
        return (errors / (ERROR_PER_LEVEL * batch.sigma + ERROR_FLOOR)).mean()
