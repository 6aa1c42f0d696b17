"""Schedules of a training: the learning rate over the steps, and the number of unfoldings over the noise levels."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

WARM_UP = 100  # updates until the learning rate is full
COOL_DOWN = 0.4  # the last share of a training, in which the learning rate falls to zero
FIRST, PER_LEVEL = 1.5, 23.0  # unfoldings: FIRST + PER_LEVEL sigma, about 4 for sigma 25/255 and 8 for 75/255


def learning_rate_share(step: int, n_steps: int) -> float:
    """The share of the full learning rate at update `step` (from 1) of n_steps: up, flat, down along a cosine.

    Until the cool-down starts it does not depend on n_steps: a longer training begins with the same weights.
    """
    left = (n_steps - step) / (COOL_DOWN * n_steps)
    return min(1.0, step / WARM_UP) * (0.5 - 0.5 * math.cos(math.pi * min(1.0, left)))


def trunk_end(n_steps: int) -> int:
    """The last update before the cool-down."""
    return math.floor((1 - COOL_DOWN) * n_steps)


def hand_set_steps(sigma: Float[Tensor, " batch"], generator: torch.Generator) -> Int[Tensor, " batch"]:
    """How often each sample is unfolded before a policy is there: more for heavier noise, as DURR pre-trains it.

    FIRST + PER_LEVEL sigma, rounded up or down at random so that its mean is that number.
    """
    chance = torch.rand(sigma.shape, generator=generator, device=generator.device).to(sigma)
    return (FIRST + PER_LEVEL * sigma + chance).floor().long()
