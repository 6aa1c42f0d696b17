"""The policy unit: Q(continue) and Q(stop) of a state, from what is seen of it and a recurrent memory.

DURR (Zhang, Lu, Liu, Dong, ICLR 2019) lets residual units and an LSTM cell look at the images. Here the eye is fixed
(`durr.policy.features`) and only the judgement is learned, so that a path is unfolded once and learned from a thousand
times, and what scaling an image does is known: nothing.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

HIDDEN = 32
SPREAD_FLOOR = 0.05  # of a logarithm: a feature that never moved by 5 % in training is not blown up later


class PolicyUnit(nn.Module):
    """q = W h_n, h_n = GRU(h_{n-1}, tanh(V z_n)), z_n the standardised features of state n; q is (continue, stop).

    Q is on the squashed scale of `durr.policy.value`; only which of the two is larger decides. What cannot be seen is
    NaN among the features and counts as its mean in training. Everything is float32, also under autocast.
    """

    def __init__(self, features: int, *, hidden: int = HIDDEN, generator: torch.Generator) -> None:
        super().__init__()
        self.features = features
        self.hidden = hidden
        self.enter = nn.utils.skip_init(nn.Linear, features, hidden)
        self.memory = nn.utils.skip_init(nn.GRUCell, hidden, hidden)
        self.leave = nn.utils.skip_init(nn.Linear, hidden, 2)
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        for layer, inputs in ((self.enter, features), (self.memory, hidden), (self.leave, hidden)):
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -1 / math.sqrt(inputs), 1 / math.sqrt(inputs), generator=generator)

    def standardise(self, seen: Float[Tensor, "path time feature"]) -> None:
        """Take mean and spread of the features from those of a training."""
        flat = seen.flatten(0, 1).double()
        mean = flat.nanmean(0)
        spread = (flat - mean).square().nanmean(0).sqrt().clamp(min=SPREAD_FLOOR)
        self.mean.copy_(mean.nan_to_num(0.0))
        self.spread.copy_(spread.nan_to_num(1.0))

    def start(self, batch: int) -> Float[Tensor, "batch hidden"]:
        """The memory before the first state."""
        return self.mean.new_zeros(batch, self.hidden)

    def forward(
        self, seen: Float[Tensor, "batch feature"], memory: Float[Tensor, "batch hidden"]
    ) -> tuple[Float[Tensor, "batch 2"], Float[Tensor, "batch hidden"]]:
        """Q(continue), Q(stop) of the states seen now, and the memory that goes on."""
        with torch.autocast(seen.device.type, enabled=False):
            standard = ((seen - self.mean) / self.spread).nan_to_num(0.0)
            memory = self.memory(torch.tanh(self.enter(standard)), memory)
            return self.leave(memory), memory

    def along(self, seen: Float[Tensor, "path time feature"]) -> Float[Tensor, "path time 2"]:
        """Q at every state of whole paths."""
        memory = self.start(len(seen))
        values = []
        for now in seen.unbind(1):
            q, memory = self(now, memory)
            values.append(q)
        return torch.stack(values, dim=1)
