"""IMEX-Net: explicit branches and an implicit coupling of all pixels."""

from __future__ import annotations

import torch
from torch import nn

from backbone.dynamics import Autonomous
from backbone.nets.frame import ImageShape, image_net, layered_flow, pre_activation
from backbone.schemes.imex import Imex
from backbone.stem import Stemmed
from backbone.stiff import DepthwiseStiff


def imexnet(shape: ImageShape, *, alpha: float = 1.0, generator: torch.Generator) -> Stemmed:
    """Images to logits by x_{n+1} = (I + L)^-1 (x_n + alpha x_n + f(x_n)), L = K^T K per channel, by FFT.

    Haber, Lensink, Treister, Ruthotto, ICML 2019. A step sees the whole image.
    """

    def layer(width: int) -> nn.Module:
        stencil = torch.randn(width, 3, 3, generator=generator) / 3
        return DepthwiseStiff(stencil, Autonomous(pre_activation(width, generator)), alpha=alpha)

    return image_net(shape, lambda width, n: layered_flow([layer(width) for _ in range(n)], Imex()), generator)
