"""Hyperbolic CNN: waves of features, which a step back restores."""

from __future__ import annotations

import torch
from torch import nn

from backbone.layers import PotentialGradient
from backbone.nets.frame import ImageShape, image_net, layered_flow
from backbone.operators import Convolution
from backbone.reversible import Reversible
from backbone.schemes.leapfrog import Leapfrog
from backbone.stem import Stemmed
from backbone.structured import SecondOrder

STEP = 0.5  # h |K| < 2 for convolutions of norm below 4


def hyperbolic_cnn(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by x'' = -K^T sigma(K x + b), leapfrog. Ruthotto and Haber, J. Math. Imaging Vis. 62 (2020)."""

    def layer(width: int) -> nn.Module:
        force = PotentialGradient(Convolution(width, width, generator=generator), activation=torch.relu)
        return SecondOrder(force)

    return image_net(
        shape,
        lambda width, n: layered_flow([layer(width) for _ in range(n)], Leapfrog(), length=STEP, gradient=Reversible()),
        generator,
    )
