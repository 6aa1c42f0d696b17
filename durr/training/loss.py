"""The loss of a batch: the error at each sample's stopping time, in which every noise level counts alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from backbone.endpoint import AfterSteps
from backbone.integrate import integrate
from durr.degradation.degradation import Batch, Degradation
from durr.unfold import steps_grid
from durr.unit import RestorationUnit


@dataclass(frozen=True)
class StoppedError:
    """mean over samples of log(1 + r), r = MSE(X(tau), clean) / (what a good restorer leaves).

    X is unfolded for tau steps of its scheme. Between the mean of r, which the busiest samples decide, and that of
    log r, the PSNR, to which one that is restored without fault is all that counts. A sample under which the unfolding
    explodes is not all that a batch, and the momentum after it, know of (Cauchy's loss in the root of r).
    degradation: knows that error, level by level. stopping: tau of every sample of a batch. precision: of the
    convolutions, bfloat16 where the processor has it.
    """

    stopping: Callable[[Batch], Int[Tensor, " batch"]]
    precision: torch.dtype
    degradation: Degradation

    def __call__(self, unit: torch.nn.Module, batch: Batch) -> Float[Tensor, ""]:
        assert isinstance(unit, RestorationUnit)
        counts = self.stopping(batch)
        grid = steps_grid(max(1, int(counts.max())))
        lower = self.precision != torch.float32
        with torch.autocast(batch.degraded.device.type, self.precision, enabled=lower):
            until = AfterSteps(counts, grid)
            solved = integrate(unit, unit.start(batch.degraded), grid, unit.scheme, until=until, view=unit.image)
        errors = (solved.ys - batch.clean).square().mean(dim=(1, 2, 3))
        ratios = errors / self.degradation.typical_error(batch.level)
        return torch.log1p(ratios).mean()
