"""The scale of Q: gains in dB, squashed so that hundredths of a dB count where stopping is decided.

The first step gains 5 dB, the steps around the end 0.01. Learned as they are, the large ones drown the sign of the
small ones, and the sign is all that decides. So Q stands for asinh(lambda * gain): linear below 1 / lambda, logarithmic
above, odd, so that zero stays zero. Targets are made of unsquashed values, as in the transformed Bellman operator of
Pohlen et al. 2018 (arXiv 1805.11593), who take a square root.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

REWARD_SCALE = 10.0  # lambda, per dB
MOST = 8.0  # of Q: asinh(10 * 149 dB), more than any path gains; keeps sinh of a wild estimate finite


def squash(gain: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """asinh(lambda * gain), gain in dB."""
    return torch.asinh(REWARD_SCALE * gain)


def unsquash(value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The gain in dB that a value stands for."""
    return torch.sinh(value.clamp(-MOST, MOST)) / REWARD_SCALE


def fit_error(values: Float[Tensor, "path time 2"], targets: Float[Tensor, "path step"]) -> Float[Tensor, ""]:
    """Huber's error of Q(continue) against its targets and of Q(stop) against 0; nothing follows the last state."""
    wanted = torch.stack([targets, torch.zeros_like(targets)], dim=-1)
    return nn.functional.huber_loss(values[:, :-1], wanted)
