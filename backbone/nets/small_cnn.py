"""A small CNN for pictures of 28 x 28: two flows, one at half the resolution of the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from backbone.errors import UsageError
from backbone.flow import EndOf
from backbone.nets.frame import convolution, layered_flow, linear, residual_branches
from backbone.schemes.explicit import Euler
from backbone.stem import Stemmed


@dataclass(frozen=True, kw_only=True)
class SmallShape:
    """pixels: along each side, a multiple of 4. widths: channels of the two flows. steps: of each."""

    pixels: int = 28
    channels: int = 1
    widths: tuple[int, int] = (8, 16)
    steps: int = 1
    classes: int = 10

    def __post_init__(self) -> None:
        if self.pixels % 4:
            raise UsageError(f"{self.pixels} pixels cannot be halved twice", where="pixels", cure="pixels=28")


def small_cnn(shape: SmallShape, *, generator: torch.Generator) -> Stemmed:
    """Pictures to logits by Euler's steps x + f(x), f smooth: SiLU, and norms over each picture alone.

    Hence perturbed pictures mean the same to the net in training and in use, and do not see each other: an attack has
    one objective. Smooth activations for adversarial training: Xie, Tan, Gong, Yuille, Le, 2020.
    """
    narrow, wide = shape.widths
    rest = nn.Sequential(
        _flow(narrow, shape.steps, generator),
        convolution(narrow, wide, generator, stride=2),
        _flow(wide, shape.steps, generator),
        nn.GroupNorm(1, wide),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        linear(wide * (shape.pixels // 4) ** 2, shape.classes, generator),
    )
    return Stemmed(convolution(shape.channels, narrow, generator), rest)


def smooth_branch(width: int, generator: torch.Generator) -> nn.Sequential:
    """Norm, SiLU, 3 x 3 convolution, twice."""
    return nn.Sequential(
        *(nn.GroupNorm(1, width), nn.SiLU(), convolution(width, width, generator)),
        *(nn.GroupNorm(1, width), nn.SiLU(), convolution(width, width, generator)),
    )


def _flow(width: int, steps: int, generator: torch.Generator) -> EndOf:
    return EndOf(layered_flow(residual_branches(smooth_branch, width, steps, generator), Euler()))
