"""Reversible networks in plain PyTorch: their backward pass rebuilds every state from the last, as RevNet's code does.

A block is a list of moves; each adds a function of one half of the state to the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from plain.images import ImageNet, Layer, convolution
from torch import Tensor, nn

Move = tuple[int, float, Callable[[Tensor], Tensor]]  # the half that is moved, how far, along which function


class Rebuilt(torch.autograd.Function):
    """halves[i] += h f(halves[1 - i]), move after move; the derivative evaluates each f once, on the tape."""

    @staticmethod
    def forward(ctx: Any, moves: Sequence[Move], one: Tensor, two: Tensor) -> tuple[Tensor, Tensor]:
        halves = [one, two]
        for moved, h, f in moves:
            halves[moved] = halves[moved] + h * f(halves[1 - moved])
        ctx.moves = moves
        ctx.save_for_backward(*halves)
        return halves[0], halves[1]

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[None, Tensor, Tensor]:
        halves, gradients = list(ctx.saved_tensors), list(slopes)
        for moved, h, f in reversed(ctx.moves):
            still = halves[1 - moved].detach().requires_grad_()
            with torch.enable_grad():
                move = h * f(still)
            halves[moved] = halves[moved] - move.detach()
            move.backward(gradients[moved])
            gradients[1 - moved] = gradients[1 - moved] + still.grad
        return None, gradients[0], gradients[1]


class CoupledStage(nn.Module):
    """Blocks of moves on the two halves of the features."""

    def __init__(self, blocks: list[nn.Module], moves: Callable[[nn.Module], list[Move]]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.moves = [move for block in blocks for move in moves(block)]

    def forward(self, x: Tensor) -> Tensor:
        one, two = x.chunk(2, dim=1)
        # autograd must see that the result hangs on something
        return torch.cat(Rebuilt.apply(self.moves, one.requires_grad_(), two.requires_grad_()), dim=1)


def revnet() -> ImageNet:
    def half(width: int) -> nn.Sequential:
        return nn.Sequential(
            *(nn.GroupNorm(1, width), nn.ReLU(), convolution(width, width)),
            *(nn.GroupNorm(1, width), nn.ReLU(), convolution(width, width)),
        )

    return ImageNet(
        lambda width, n: CoupledStage(
            [nn.ModuleList([half(width // 2), half(width // 2)]) for _ in range(n)],
            lambda pair: [(0, 1.0, pair[0]), (1, 1.0, pair[1])],
        )
    )


class LeapfrogStage(nn.Module):
    """d += h^2 force(x), x += d, the first d half as large."""

    def __init__(self, width: int, n: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(width) for _ in range(n)])
        moves: list[Move] = []
        for k, layer in enumerate(self.layers):
            moves += [(0, 0.25 if k else 0.125, layer.force), (1, 1.0, lambda d: d)]
        self.moves = moves

    def forward(self, x: Tensor) -> Tensor:
        return Rebuilt.apply(self.moves, torch.zeros_like(x), x)[1]


def hyperbolic() -> ImageNet:
    return ImageNet(LeapfrogStage)
