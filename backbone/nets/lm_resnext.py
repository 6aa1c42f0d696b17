"""LM-ResNeXt: the two-step scheme over branches of grouped convolutions."""

from __future__ import annotations

import torch
from torch import nn

from backbone.errors import UsageError
from backbone.nets.frame import ImageShape, convolution, image_net, layered_flow, residual_branches
from backbone.nets.lm_resnet import learned_multistep
from backbone.stem import Stemmed


def lm_resnext(shape: ImageShape, *, cardinality: int = 8, generator: torch.Generator) -> Stemmed:
    """Images to logits by LM-ResNet's step with aggregated branches. Lu et al., ICML 2018; Xie et al., CVPR 2017.

    cardinality: groups of the 3 x 3 convolution; it divides half of every width.
    """
    for width in shape.widths:
        if (width // 2) % cardinality:
            raise UsageError(
                f"cardinality {cardinality} does not divide {width // 2}", where="lm_resnext", cure="cardinality=8"
            )

    def aggregated(width: int, generator: torch.Generator) -> nn.Sequential:
        inner = width // 2
        return nn.Sequential(
            *(nn.BatchNorm2d(width), nn.ReLU(), convolution(width, inner, generator, size=1)),
            *(nn.BatchNorm2d(inner), nn.ReLU(), convolution(inner, inner, generator, groups=cardinality)),
            *(nn.BatchNorm2d(inner), nn.ReLU(), convolution(inner, width, generator, size=1)),
        )

    return image_net(
        shape,
        lambda width, n: layered_flow(
            residual_branches(aggregated, width, n, generator), learned_multistep(n, generator)
        ),
        generator,
    )
