"""The Macaron translator in plain PyTorch: half a feed-forward step, attention, half a step of another feed-forward."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Multi-head attention after a norm."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(features)
        self.query, self.key, self.value, self.out = (nn.Linear(features, features) for _ in range(4))

    def forward(self, y: Tensor, memory: Tensor | None, seen: Tensor) -> Tensor:
        x = self.norm(y)
        source = x if memory is None else memory
        heads = [
            part(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part, tokens in ((self.query, x), (self.key, source), (self.value, source))
        ]
        drawn = functional.scaled_dot_product_attention(*heads, attn_mask=seen[:, None])
        return self.out(drawn.transpose(1, 2).flatten(2))


def feed_forward(features: int, inner: int) -> nn.Sequential:
    return nn.Sequential(nn.LayerNorm(features), nn.Linear(features, inner), nn.ReLU(), nn.Linear(inner, features))


class Layer(nn.Module):
    """Attention to each of the sequences that it looks at, between two half steps."""

    def __init__(self, features: int, heads: int, inner: int, looks: int) -> None:
        super().__init__()
        self.attention = nn.ModuleList([Attention(features, heads) for _ in range(looks)])
        self.feed_forward = nn.ModuleList([feed_forward(features, inner // 2) for _ in range(2)])

    def forward(self, y: Tensor, *looks: tuple[Tensor | None, Tensor]) -> Tensor:
        y = y + 0.5 * self.feed_forward[0](y)
        for attention, (memory, seen) in zip(self.attention, looks, strict=True):
            y = y + attention(y, memory, seen)
        return y + 0.5 * self.feed_forward[1](y)


class Macaron(nn.Module):
    """Source and target words to logits of the next target word; 0 fills up."""

    def __init__(
        self, *, source_words: int, target_words: int, features: int, heads: int, inner: int, layers: int
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList([Layer(features, heads, inner, 1) for _ in range(layers)])
        self.decoder = nn.ModuleList([Layer(features, heads, inner, 2) for _ in range(layers)])
        self.source = nn.Embedding(source_words, features)
        self.target = nn.Embedding(target_words, features)
        self.norms = nn.ModuleList([nn.LayerNorm(features) for _ in range(2)])
        self.out = nn.Linear(features, target_words)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        seen = (source != 0)[:, None]
        memory = self.placed(self.source, source)
        for layer in self.encoder:
            memory = layer(memory, (None, seen))
        memory = self.norms[0](memory)
        past = torch.ones(1, target.shape[1], target.shape[1], dtype=torch.bool).tril()
        y = self.placed(self.target, target)
        for layer in self.decoder:
            y = layer(y, (None, past), (memory, seen))
        return self.out(self.norms[1](y))

    @staticmethod
    def placed(embedding: nn.Embedding, words: Tensor) -> Tensor:
        features = embedding.embedding_dim
        rates = torch.exp(torch.arange(0, features, 2) * (-math.log(10000.0) / features))
        angles = torch.arange(words.shape[1])[:, None] * rates
        return embedding(words) * math.sqrt(features) + torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
