"""Networks to look at and to check: small ones, ones of ordinary size, and ones of twice the depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from backbone.grid import Grid
from backbone.nets.cnf import Cnf
from backbone.nets.frame import ImageShape
from backbone.nets.mean_field import MeanFieldResNet
from backbone.nets.node_ew import NodeEw
from backbone.nets.points import PointShape
from backbone.nets.small_cnn import SmallShape, small_cnn
from backbone.nets.translation import TranslationShape, Translator
from backbone.schemes.explicit import RK4, Midpoint

Size = Literal["small", "ordinary", "deep"]
Build = Callable[[Size, int], "Example"]


@dataclass(frozen=True, eq=False)
class Example:
    """A network with inputs that fit it."""

    net: nn.Module
    inputs: tuple[Tensor, ...]


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Normal numbers, float64, always the same ones."""
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def seeded(seed: int = 0) -> torch.Generator:
    """A generator on its own."""
    return torch.Generator().manual_seed(seed)


def on_images(make: Callable[[ImageShape], nn.Module]) -> Build:
    """Examples of an image net: small, of depth 20, of depth 38."""
    depths = {"small": 14, "ordinary": 20, "deep": 38}

    def build(size: Size, batch: int) -> Example:
        small = size == "small"
        shape = ImageShape(depth=depths[size], widths=(4, 8, 16) if small else (16, 32, 64))
        pixels = 8 if small else 32
        return Example(make(shape), (normal(batch, 3, pixels, pixels).float(),))

    return build


def on_small_pictures(size: Size, batch: int) -> Example:
    """The small CNN with 2 steps in each of its two flows, or 4."""
    small = size == "small"
    shape = SmallShape(pixels=8 if small else 28, widths=(2, 4) if small else (8, 16), steps=4 if size == "deep" else 2)
    return Example(small_cnn(shape, generator=seeded()), (normal(batch, 1, shape.pixels, shape.pixels).float(),))


def on_points(make: Callable[[PointShape], nn.Module]) -> Build:
    """Examples of a point net: 8, 32 and 64 layers."""
    layers = {"small": 8, "ordinary": 32, "deep": 64}

    def build(size: Size, batch: int) -> Example:
        width = 4 if size == "small" else 16
        return Example(make(PointShape(width=width, layers=layers[size])), (normal(batch, 2).float(),))

    return build


def translation(size: Size, batch: int) -> Example:
    """Words to words by Strang's splitting."""
    layers = {"small": 2, "ordinary": 6, "deep": 12}
    small = size == "small"
    shape = TranslationShape(
        source_words=50 if small else 8000,
        target_words=40 if small else 6000,
        features=16 if small else 512,
        heads=4,
        inner=32 if small else 1024,
        layers=layers[size],
    )
    words = [torch.randint(1, n, (batch, 7), generator=seeded()) for n in (shape.source_words, shape.target_words)]
    return Example(Translator(shape, generator=seeded()), tuple(words))


def node_ew(size: Size, batch: int) -> Example:
    """A two-dimensional NODE-EW by midpoint steps."""
    n_steps = {"small": 8, "ordinary": 16, "deep": 32}[size]
    net = NodeEw(2, hidden=16, grid=Grid.uniform(0.0, 1.0, n_steps), scheme=Midpoint(), generator=seeded())
    with torch.no_grad():
        for weight in net.evolved.velocity.parameters():
            weight.normal_(std=0.1, generator=seeded(1))  # or the weights would stand still
    return Example(net, (normal(batch, 2).float(),))


def cnf(size: Size, batch: int) -> Example:
    """A two-dimensional density by RK4 steps."""
    n_steps = {"small": 8, "ordinary": 16, "deep": 32}[size]
    net = Cnf(2, hidden=16, grid=Grid.uniform(0.0, 1.0, n_steps), scheme=RK4(), generator=seeded())
    return Example(net, (normal(batch, 2).float(),))


def mean_field(size: Size, batch: int) -> Example:
    """A scalar regression by particles."""
    layers = {"small": 8, "ordinary": 32, "deep": 64}[size]
    net = MeanFieldResNet(2, 4, layers=layers, particles=16, generator=seeded())
    return Example(net, (normal(batch, 2).float(),))
