"""LM-ResNet: the linear two-step scheme with a learned coefficient k_n in every block."""

from __future__ import annotations

import torch

from backbone.nets.frame import ImageShape, image_net, layered_flow, pre_activation, residual_branches
from backbone.schemes.linear_multistep import LinearMultistep
from backbone.stem import Stemmed

K_RANGE = 0.1  # k ~ U(-0.1, 0], the range of the paper and of its code


def lm_resnet(shape: ImageShape, *, generator: torch.Generator) -> Stemmed:
    """Images to logits by x_{n+1} = (1 - k_n) x_n + k_n x_{n-1} + f(x_n; theta_n). Lu, Zhong, Li, Dong, ICML 2018.

    The first step of every stage is Euler's: the history begins anew after a transition.
    """
    return image_net(
        shape,
        lambda width, n: layered_flow(
            residual_branches(pre_activation, width, n, generator), learned_multistep(n, generator)
        ),
        generator,
    )


def learned_multistep(n_steps: int, generator: torch.Generator) -> LinearMultistep:
    """The scheme for n_steps steps with k_n ~ U(-0.1, 0]."""
    return LinearMultistep(-K_RANGE * torch.rand(n_steps - 1, generator=generator))
