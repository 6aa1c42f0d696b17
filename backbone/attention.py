"""The two parts of a Transformer's layer as fields: tokens that interact, and tokens that each move on their own."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from backbone.dropout import Dropout

Tokens = Float[Tensor, "batch token feature"]
Sources = Float[Tensor, "batch source feature"]
Seen = Bool[Tensor, "#batch #token source"]


class Attention(nn.Module):
    """F(y) = MultiHead(LN y, memory): every token is drawn by others, a particle system.

    As a field the tokens look at one another; `looking` lets them look elsewhere. Vaswani et al.,
    NeurIPS 2017, section 3.2, with the norm inside (pre-LN). dropped: what of the result is; nothing by default.
    """

    def __init__(
        self,
        features: int,
        heads: int,
        *,
        dropped: Dropout | None = None,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(features, dtype=dtype)
        self.query, self.key, self.value, self.out = (_linear(features, features, generator, dtype) for _ in range(4))
        self.dropped = dropped or Dropout(0.0, None)

    def forward(self, t: float, y: Tokens) -> Tokens:
        return self.looking(y, None, None)

    def looking(self, y: Tokens, memory: Sources | None, seen: Seen | None) -> Tokens:
        """What draws the tokens y to those of memory (None: to one another) that are seen (None: all)."""
        x = self.norm(y)
        source = x if memory is None else memory
        query, key, value = (
            part(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part, tokens in ((self.query, x), (self.key, source), (self.value, source))
        )
        mask = None if seen is None else seen[:, None]
        drawn = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        pulled: Tensor = self.dropped(self.out(drawn.transpose(1, 2).flatten(2)))
        return pulled


class FeedForward(nn.Module):
    """G(y) = W2 sigma(W1 LN y): each token moves on its own, a convection. activation: ReLU by default.

    dropped: what is dropped of sigma(W1 LN y), and of the result; nothing by default.
    """

    def __init__(
        self,
        features: int,
        inner: int,
        *,
        activation: type[nn.Module] = nn.ReLU,
        dropped: tuple[Dropout, Dropout] | None = None,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        dropped_inside, dropped_last = dropped or (Dropout(0.0, None), Dropout(0.0, None))
        self.net = nn.Sequential(
            nn.LayerNorm(features, dtype=dtype),
            _linear(features, inner, generator, dtype),
            activation(),
            dropped_inside,
            _linear(inner, features, generator, dtype),
            dropped_last,
        )

    def forward(self, t: float, y: Tokens) -> Tokens:
        moved: Tensor = self.net(y)
        return moved


def _linear(n_in: int, n_out: int, generator: torch.Generator, dtype: torch.dtype) -> nn.Linear:
    """Xavier's uniform weights, no constant at first."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out, dtype=dtype)  # type: ignore[no-untyped-call]
    bound = math.sqrt(6 / (n_in + n_out))
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.zero_()
    return layer
