"""The shape of DnCNN-B with random weights, to be timed and nothing else: the published weights have no licence."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

Precision = Literal["float32", "bfloat16"]

LAYERS, FEATURES = 20, 64


class DnCNN(nn.Module):
    """y - R(y), R of 20 convolutions 3 x 3 with 64 features and ReLU between them.

    Zhang, Zuo, Chen, Meng, Zhang, IEEE TIP 26, 2017, section III; batch normalisation is folded into the convolutions,
    as is usual when a net is only applied. 666 k parameters for grey images.
    """

    def __init__(self, channels: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = [channels, *[FEATURES] * (LAYERS - 1), channels]
        convolutions = [_convolution(a, b, generator) for a, b in pairwise(widths)]
        layers = [layer for convolution in convolutions for layer in (convolution, nn.ReLU(inplace=True))]
        self.residual = nn.Sequential(*layers[:-1])
        self.to(memory_format=torch.channels_last)

    def forward(self, noisy: Float[Tensor, "batch channel row col"]) -> Float[Tensor, "batch channel row col"]:
        """The restored image, were the weights trained."""
        return noisy - self.residual(noisy)


def _convolution(inputs: int, outputs: int, generator: torch.Generator) -> nn.Conv2d:
    layer = nn.utils.skip_init(nn.Conv2d, inputs, outputs, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


@torch.inference_mode()
def apply(
    net: DnCNN, noisy: Float[Tensor, "batch channel row col"], precision: Precision
) -> Float[Tensor, "batch channel row col"]:
    """One pass the fast way: channels last, and for "bfloat16" under autocast."""
    noisy = noisy.contiguous(memory_format=torch.channels_last)
    with torch.autocast(noisy.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        return net(noisy).to(noisy.dtype)
