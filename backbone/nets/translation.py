"""Translation by splitting: Transformer (Lie), Macaron (Strang of Euler steps), Strang of Heun steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from backbone.attention import Attention, FeedForward
from backbone.data.parallel_text import PAD
from backbone.dropout import Dropout
from backbone.dynamics import Layered, VectorField
from backbone.errors import UsageError
from backbone.flow import Flow
from backbone.nets.frame import linear, unit_steps
from backbone.schemes.explicit import Euler, Heun
from backbone.schemes.scheme import Scheme
from backbone.schemes.splitting import LieTrotter, Strang
from backbone.structured import Split

Tokens = Float[Tensor, "batch token feature"]
Words = Int[Tensor, "batch token"]


@dataclass(frozen=True, kw_only=True)
class TranslationShape:
    """inner: width of the feed-forward part; the two of a Strang layer have half of it each.

    dropout: share of the entries that training drops of embedded words and of what each part adds; inner_dropout:
    of the feed-forward part's inner activity. 0.3 and 0.1 in the recipe for IWSLT.
    """

    source_words: int
    target_words: int
    features: int = 512
    heads: int = 4
    inner: int = 1024
    layers: int = 6
    dropout: float = 0.0
    inner_dropout: float = 0.0

    def __post_init__(self) -> None:
        if not (0.0 <= self.dropout < 1.0 and 0.0 <= self.inner_dropout < 1.0):
            raise UsageError(
                f"dropout {self.dropout}, inner_dropout {self.inner_dropout}", where="dropout", cure="dropout=0.3"
            )


class Translator(nn.Module):
    """Source and target words to logits of the next target word.

    scheme: "lie", x += attention, x += feed-forward (the Transformer); "strang", half a feed-forward step, attention,
    half a step of another feed-forward (Macaron; in the decoder attention to the target, then to the source);
    "strang_heun", the same by Heun's steps, the only one of the three of order 2. Lu et al., 2019; pre-LN.
    generator: of the weights, draws: of the dropout, if the shape asks for any.
    """

    def __init__(
        self,
        shape: TranslationShape,
        scheme: str = "strang",
        *,
        generator: torch.Generator,
        draws: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.scheme = _scheme(scheme)
        if draws is None and max(shape.dropout, shape.inner_dropout) > 0.0:
            raise UsageError(
                "dropout has nothing to draw with", where="Translator(draws=)", cure="draws=torch.Generator()"
            )
        self.dropped = Dropout(shape.dropout, draws)
        parts = partial(Layer, shape, halved=scheme != "lie", generator=generator, draws=draws)
        self.encoder, self.decoder = (
            nn.ModuleList([parts(looks=looks) for _ in range(shape.layers)]) for looks in (1, 2)
        )
        self.source, self.target = (
            _embedding(words, shape.features, generator) for words in (shape.source_words, shape.target_words)
        )
        self.norms = nn.ModuleList([nn.LayerNorm(shape.features) for _ in range(2)])
        self.out = linear(shape.features, shape.target_words, generator)

    def forward(
        self, source: Words, target: Int[Tensor, "batch target_token"]
    ) -> Float[Tensor, "batch target_token word"]:
        """target: the words so far, teacher-forced; each position sees those before it and itself."""
        memory, seen = self.encode(source), (source != PAD)[:, None]
        length = target.shape[1]
        past = torch.ones(1, length, length, dtype=torch.bool, device=target.device).tril()
        fields = [layer.field([(None, past), (memory, seen)]) for layer in self._layers(self.decoder)]
        logits: Tensor = self.out(self.norms[1](self._flow(fields, self._placed(self.target, target))))
        return logits

    def encode(self, source: Words) -> Tokens:
        """What the decoder looks at."""
        fields = [layer.field([(None, (source != PAD)[:, None])]) for layer in self._layers(self.encoder)]
        memory: Tensor = self.norms[0](self._flow(fields, self._placed(self.source, source)))
        return memory

    def _flow(self, fields: Sequence[nn.Module], start: Tokens) -> Tokens:
        grid = unit_steps(len(fields))
        return Flow(Layered(fields, grid), grid, self.scheme).end(start)

    @staticmethod
    def _layers(stack: nn.ModuleList) -> list[Layer]:
        return [layer for layer in stack if isinstance(layer, Layer)]

    def _placed(self, embedding: nn.Embedding, words: Words) -> Tokens:
        features = embedding.embedding_dim
        embedded: Tensor = embedding(words) * math.sqrt(features)
        placed: Tensor = self.dropped(embedded + positions(words.shape[1], features).to(embedded))
        return placed


class Layer(nn.Module):
    """One layer's weights: attention to `looks` sequences, one feed-forward part or two of half the width."""

    def __init__(
        self,
        shape: TranslationShape,
        *,
        looks: int,
        halved: bool,
        generator: torch.Generator,
        draws: torch.Generator | None,
    ) -> None:
        super().__init__()
        last, inside = Dropout(shape.dropout, draws), Dropout(shape.inner_dropout, draws)
        self.attention = nn.ModuleList(
            [Attention(shape.features, shape.heads, dropped=last, generator=generator) for _ in range(looks)]
        )
        inner, parts = (shape.inner // 2, 2) if halved else (shape.inner, 1)
        self.feed_forward = nn.ModuleList(
            [FeedForward(shape.features, inner, dropped=(inside, last), generator=generator) for _ in range(parts)]
        )

    def field(self, looks: Sequence[tuple[Tensor | None, Tensor]]) -> Split:
        """The field of this layer when its attentions look at (memory, seen), one after the other."""
        looking = [Looking(part, *look) for part, look in zip(self.attention, looks, strict=True)]
        attention: VectorField = looking[0] if len(looking) == 1 else Split(*looking)
        if len(self.feed_forward) == 1:
            return Split(attention, self.feed_forward[0])
        return Split(self.feed_forward[0], attention, late=self.feed_forward[1])


class Looking(nn.Module):
    """An attention that looks at given tokens."""

    def __init__(self, attention: nn.Module, memory: Tokens | None, seen: Bool[Tensor, "#batch #token source"]) -> None:
        super().__init__()
        assert isinstance(attention, Attention)
        self.attention = attention
        self.memory = memory
        self.seen = seen

    def forward(self, t: float, y: Tokens) -> Tokens:
        return self.attention.looking(y, self.memory, self.seen)


def positions(length: int, features: int) -> Float[Tensor, "token feature"]:
    """Sines and cosines of the place, wavelengths 2 pi to 2 pi 10000. Vaswani et al., NeurIPS 2017, section 3.5."""
    rates = torch.exp(torch.arange(0, features, 2) * (-math.log(10000.0) / features))
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


def _scheme(name: str) -> Scheme:
    schemes = {"lie": LieTrotter(Euler()), "strang": Strang(Euler()), "strang_heun": Strang(Heun())}
    if name not in schemes:
        raise UsageError(f"scheme '{name}' is unknown", where="Translator(scheme=)", cure=f"use {', '.join(schemes)}")
    return schemes[name]


def _embedding(words: int, features: int, generator: torch.Generator) -> nn.Embedding:
    embedding: nn.Embedding = nn.utils.skip_init(nn.Embedding, words, features)  # type: ignore[no-untyped-call]
    nn.init.normal_(embedding.weight, std=features**-0.5, generator=generator)
    return embedding
