"""The exponential moving average of the weights: what is kept of a training under a constant learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from backbone.train.fit import Progress


class WeightAverage:
    """Observer: average <- d average + (1 - d) weights, d = min(decay, 1 - 1 / (step / 10 + 1)), after every update.

    `net` holds the average; it never shares memory with the net in training.
    """

    def __init__(self, trained: nn.Module, *, decay: float = 0.999) -> None:
        self.trained = trained
        self.decay = decay
        self.net = deepcopy(trained).requires_grad_(False)
        self.step = 0

    @torch.no_grad()
    def __call__(self, progress: Progress) -> None:
        """Take the weights after an update into the average."""
        self.step += 1
        share = max(1 - self.decay, 1 / (self.step / 10 + 1))
        for average, weight in zip(self.net.parameters(), self.trained.parameters(), strict=True):
            average.lerp_(weight, share)

    def state_dict(self) -> dict[str, Any]:
        """All that an exact resume needs."""
        return {"net": self.net.state_dict(), "step": self.step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.net.load_state_dict(state["net"])
        self.step = state["step"]
