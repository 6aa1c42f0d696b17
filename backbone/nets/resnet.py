"""ResNet: forward Euler with step 1."""

from __future__ import annotations

import torch

from backbone.nets.frame import ImageShape, image_net, layered_flow, pre_activation, residual_branches
from backbone.schemes.explicit import Euler
from backbone.stem import Stemmed


def resnet(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by x_{n+1} = x_n + f(x_n; theta_n). He, Zhang, Ren, Sun, ECCV 2016."""
    return image_net(
        shape,
        lambda width, n: layered_flow(residual_branches(pre_activation, width, n, generator), Euler()),
        generator,
    )
