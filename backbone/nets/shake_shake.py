"""Shake-Shake: two branches in random shares while it trains."""

from __future__ import annotations

import torch

from backbone.nets.fractalnet import two_branches
from backbone.nets.frame import ImageShape, image_net, layered_flow
from backbone.schemes.stochastic import ShakeShake
from backbone.stem import Stemmed


def shake_shake(shape: ImageShape, *, generator: torch.Generator, draws: torch.Generator) -> Stemmed:
    """Images to logits by x + eta f1(x) + (1 - eta) f2(x), eta ~ U(0, 1). Gastaldi, 2017.

    generator: of the weights, draws: of eta.
    """
    return image_net(
        shape,
        lambda width, n: layered_flow(two_branches(width, n, generator), ShakeShake(generator=draws)),
        generator,
    )
