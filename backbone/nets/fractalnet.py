"""FractalNet: two branches in Heun's tableau, its coefficients learned."""

from __future__ import annotations

import torch
from torch import nn

from backbone.nets.frame import ImageShape, image_net, layered_flow, pre_activation, residual_branches
from backbone.schemes.fractal import Fractal
from backbone.stem import Stemmed
from backbone.structured import Branches


def fractalnet(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by x_{n+1} = k1 x + k2 (k3 x + f1(x)) + f2(k3 x + f1(x)). Larsson et al., ICLR 2017."""
    return image_net(
        shape,
        lambda width, n: layered_flow(two_branches(width, n, generator), Fractal()),
        generator,
    )


def two_branches(width: int, n_steps: int, generator: torch.Generator) -> list[nn.Module]:
    """Two branches for each step."""
    first, second = (residual_branches(pre_activation, width, n_steps, generator) for _ in range(2))
    return [Branches(*pair) for pair in zip(first, second, strict=True)]
