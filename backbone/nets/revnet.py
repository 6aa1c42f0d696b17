"""RevNet: symplectic Euler on two halves of the channels, and a gradient that keeps no states."""

from __future__ import annotations

import torch
from torch import nn

from backbone.dynamics import Autonomous
from backbone.nets.frame import ImageShape, convolution, image_net, layered_flow
from backbone.reversible import Reversible
from backbone.schemes.symplectic import SymplecticEuler
from backbone.stem import Stemmed
from backbone.structured import Separable


def revnet(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by x1 += f(x2), x2 += g(x1). Gomez, Ren, Urtasun, Grosse, NeurIPS 2017.

    Norms over the channels of a sample, for a step is run twice and would count a batch's statistics twice.
    """

    def half(width: int) -> nn.Module:
        return Autonomous(
            nn.Sequential(
                *(nn.GroupNorm(1, width), nn.ReLU(), convolution(width, width, generator)),
                *(nn.GroupNorm(1, width), nn.ReLU(), convolution(width, width, generator)),
            )
        )

    return image_net(
        shape,
        lambda width, n: layered_flow(
            [Separable(half(width // 2), half(width // 2)) for _ in range(n)], SymplecticEuler(), gradient=Reversible()
        ),
        generator,
    )
