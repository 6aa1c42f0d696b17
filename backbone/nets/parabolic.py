"""Parabolic CNN: a network that smooths its features."""

from __future__ import annotations

import torch
from torch import nn

from backbone.layers import PotentialGradient
from backbone.nets.frame import ImageShape, image_net, layered_flow
from backbone.operators import Convolution
from backbone.schemes.explicit import Euler
from backbone.stem import Stemmed

STEP = 0.2  # h |K|^2 < 2 for convolutions of norm below 3, where random ones of unit gain lie


def parabolic_cnn(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by x' = -K^T sigma(K x + b), Euler. Ruthotto and Haber, J. Math. Imaging Vis. 62 (2020).

    Two states never move apart as long as h |K|^2 <= 2.
    """

    def layer(width: int) -> nn.Module:
        return PotentialGradient(Convolution(width, width, generator=generator), activation=torch.relu)

    return image_net(
        shape, lambda width, n: layered_flow([layer(width) for _ in range(n)], Euler(), length=STEP), generator
    )
