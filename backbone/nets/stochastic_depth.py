"""ResNet with stochastic depth: blocks that are left out at random while it trains."""

from __future__ import annotations

import torch

from backbone.flow import Flow
from backbone.nets.frame import ImageShape, image_net, layered_flow, pre_activation, residual_branches
from backbone.schemes.explicit import Euler
from backbone.schemes.stochastic import Bernoulli, linear_decay
from backbone.stem import Stemmed


def stochastic_depth(
    shape: ImageShape, *, last: float = 0.5, generator: torch.Generator, draws: torch.Generator
) -> Stemmed:
    """Images to logits by x + eta / p_n f(x), eta ~ Bernoulli(p_n). Huang, Sun, Liu, Sedra, Weinberger, ECCV 2016.

    p_n falls from 1 to `last` over the steps of all stages. generator: of the weights, draws: of eta.
    """
    survival = iter(linear_decay(sum(shape.steps), last))

    def stage(width: int, n: int) -> Flow:
        scheme = Bernoulli(Euler(), tuple(next(survival) for _ in range(n)), generator=draws)
        return layered_flow(residual_branches(pre_activation, width, n, generator), scheme)

    return image_net(shape, stage, generator)
