"""Gradients of p . f0(x) for the first layer f0 alone: what YOPO's inner steps cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_input, conv2d_weight

Inputs = Float[Tensor, "batch *shape"]
Slack = Float[Tensor, "batch *feature"]


class FirstLayer(ABC):
    """f0, and how the pairing p . f0(x) changes with the input and with the weights.

    affine: the slope in x is the same everywhere, so that one is enough for any number of inner steps.
    """

    affine: bool

    @abstractmethod
    def input_slope(self, x: Inputs, p: Slack) -> Inputs:
        """d p . f0(x) / d x."""

    @abstractmethod
    def weight_slopes(self, x: Inputs, p: Slack) -> list[Tensor]:
        """d p . f0(x) / d theta0, in the order of the layer's parameters."""


@dataclass(frozen=True, eq=False)
class AnyLayer(FirstLayer):
    """By autograd, a pass forward through the layer each time."""

    layer: nn.Module
    affine = False

    def input_slope(self, x: Inputs, p: Slack) -> Inputs:
        x = x.detach().requires_grad_(True)
        return torch.autograd.grad(self.layer(x), x, p)[0]

    def weight_slopes(self, x: Inputs, p: Slack) -> list[Tensor]:
        return list(torch.autograd.grad(self.layer(x), list(self.layer.parameters()), p))


@dataclass(frozen=True, eq=False)
class ConvolutionLayer(FirstLayer):
    """By the transposed convolution and the correlation of input and slack: no pass forward."""

    layer: nn.Conv2d
    affine = True

    def input_slope(self, x: Inputs, p: Slack) -> Inputs:
        layer = self.layer
        slope: Tensor = conv2d_input(  # type: ignore[no-untyped-call]
            x.shape, layer.weight.detach().to(p.dtype), p, layer.stride, layer.padding, layer.dilation, layer.groups
        )
        return slope

    def weight_slopes(self, x: Inputs, p: Slack) -> list[Tensor]:
        layer = self.layer
        kernel: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            x.to(p.dtype), layer.weight.shape, p, layer.stride, layer.padding, layer.dilation, layer.groups
        )
        constants = [] if layer.bias is None else [p.sum((0, 2, 3), dtype=layer.bias.dtype)]
        return [kernel.to(layer.weight.dtype), *constants]


def first_layer(layer: nn.Module) -> FirstLayer:
    """The cheapest way to the gradients of a layer."""
    if type(layer) is nn.Conv2d and layer.padding_mode == "zeros" and not isinstance(layer.padding, str):
        return ConvolutionLayer(layer)
    return AnyLayer(layer)
