"""Lean ResNet: convolutions split into a coupling of channels and a stencil on each."""

from __future__ import annotations

import torch
from torch import nn

from backbone.nets.frame import ImageShape, image_net, layered_flow, residual_branches
from backbone.operators import Lean
from backbone.schemes.explicit import Euler
from backbone.stem import Stemmed


def lean_resnet(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by ResNet's step with n^2 + 5 n instead of 9 n^2 numbers a convolution. Ephrath et al., 2020."""
    return image_net(
        shape,
        lambda width, n: layered_flow(residual_branches(lean_branch, width, n, generator), Euler()),
        generator,
    )


def lean_branch(width: int, generator: torch.Generator) -> nn.Sequential:
    """BN, ReLU, lean convolution, twice."""
    return nn.Sequential(
        *(nn.BatchNorm2d(width), nn.ReLU(), Lean(width, generator=generator)),
        *(nn.BatchNorm2d(width), nn.ReLU(), Lean(width, generator=generator)),
    )
