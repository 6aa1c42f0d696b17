"""Schedules of a training: the learning rate over the steps, and the number of unfoldings over the noise levels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from backbone.data_parallel import ALONE, Replicas
from durr.degradation.degradation import Batch, Degradation
from durr.stopping import StoppingRule
from durr.unfold import stopping_times
from durr.unit import RestorationUnit

WARM_UP = 100  # updates until the learning rate is full
COOL_DOWN = 0.4  # the last share of a training, in which the learning rate falls to zero


def learning_rate_share(step: int, n_steps: int) -> float:
    """The share of the full learning rate at update `step` (from 1) of n_steps: up, flat, down along a cosine.

    Until the cool-down starts it does not depend on n_steps: a longer training begins with the same weights.
    """
    left = (n_steps - step) / (COOL_DOWN * n_steps)
    return min(1.0, step / WARM_UP) * (0.5 - 0.5 * math.cos(math.pi * min(1.0, left)))


def trunk_end(n_steps: int) -> int:
    """The last update before the cool-down."""
    return math.floor((1 - COOL_DOWN) * n_steps)


@dataclass(frozen=True)
class HandSet:
    """How often each sample is unfolded before a policy is there: more at a higher level, as DURR pre-trains its unit.

    The degradation's number, rounded up or down at random so that its mean is that; a function of seed and step.
    """

    seed: int
    degradation: Degradation
    replicas: Replicas = ALONE

    def __call__(self, batch: Batch, step: int) -> Int[Tensor, " batch"]:
        generator = torch.Generator().manual_seed(self.seed + step)
        drawn = self.replicas.drawn(batch.level, lambda whole: torch.rand(whole.shape, generator=generator))
        chance = drawn.to(batch.level)
        return (self.degradation.steps(batch.level) + chance).floor().long()


@dataclass(frozen=True, eq=False)
class ByRule:
    """How often each sample is unfolded once there is a rule: as it says of the unit as it is now, but once at least.

    Of a sample that takes no step the unit learns nothing. unit: the one in training. max_steps: the longest path.
    precision: of the convolutions.
    """

    rule: StoppingRule
    unit: RestorationUnit
    max_steps: int
    precision: torch.dtype

    def __call__(self, batch: Batch, step: int) -> Int[Tensor, " batch"]:
        lower = self.precision != torch.float32
        with torch.no_grad(), torch.autocast(batch.degraded.device.type, self.precision, enabled=lower):
            until = self.rule.start(self.unit, batch.degraded)
            return stopping_times(self.unit, batch.degraded, until, self.max_steps).clamp_min(1)


def longest_unfolding(degradation: Degradation) -> int:
    """The most steps that `HandSet` takes."""
    return math.floor(float(degradation.steps(torch.tensor([degradation.strongest]))) + 1)
