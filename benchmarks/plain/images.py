"""Residual networks for small images in plain PyTorch: CIFAR's shape of depth 20, widths 16, 32, 64."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

Step = Callable[[nn.Module, Tensor], Tensor]  # of a block, and the state before it


class ImageNet(nn.Module):
    """A convolution, three stages with a transition before the second and the third, a head."""

    def __init__(self, stage: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.stem = convolution(3, 16)
        self.stages = nn.Sequential(stage(16, 3), Transition(16, 32), stage(32, 2), Transition(32, 64), stage(64, 2))
        self.norm = nn.BatchNorm2d(64)
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(self.stem(x))
        return self.linear(torch.relu(self.norm(x)).mean((2, 3)))


class Transition(nn.Module):
    """Half as many pixels, twice as many channels."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.project = convolution(n_in, n_out, size=1, stride=2)
        self.branch = pre_activation(n_in, n_out, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(x) + self.branch(x)


def convolution(n_in: int, n_out: int, *, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, size, stride=stride, padding=size // 2, groups=groups, bias=False)


def pre_activation(n_in: int, n_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        *(nn.BatchNorm2d(n_in), nn.ReLU(), convolution(n_in, n_out, stride=stride)),
        *(nn.BatchNorm2d(n_out), nn.ReLU(), convolution(n_out, n_out)),
    )


class Stage(nn.Module):
    """Blocks one after the other, each in its step."""

    def __init__(self, blocks: list[nn.Module], step: Step) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = self.step(block, x)
        return x


def residual(block: nn.Module, x: Tensor) -> Tensor:
    return x + block(x)


def resnet() -> ImageNet:
    return ImageNet(lambda width, n: Stage([pre_activation(width, width) for _ in range(n)], residual))


def polynet() -> ImageNet:
    def step(block: nn.Module, x: Tensor) -> Tensor:
        once = block(x)
        return x + once + block(once)

    return ImageNet(lambda width, n: Stage([pre_activation(width, width) for _ in range(n)], step))


class MultistepStage(nn.Module):
    """x_{n+1} = (1 - k_n) x_n + k_n x_{n-1} + f(x_n), by increments."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.k = nn.ParameterList([torch.zeros(len(blocks) - 1)])

    def forward(self, x: Tensor) -> Tensor:
        increment = self.blocks[0](x)
        x = x + increment
        for k, block in zip(self.k[0], self.blocks[1:], strict=True):
            increment = block(x) - k * increment
            x = x + increment
        return x


def lm_resnet() -> ImageNet:
    return ImageNet(lambda width, n: MultistepStage([pre_activation(width, width) for _ in range(n)]))


def lm_resnext() -> ImageNet:
    def aggregated(width: int) -> nn.Sequential:
        inner = width // 2
        return nn.Sequential(
            *(nn.BatchNorm2d(width), nn.ReLU(), convolution(width, inner, size=1)),
            *(nn.BatchNorm2d(inner), nn.ReLU(), convolution(inner, inner, groups=8)),
            *(nn.BatchNorm2d(inner), nn.ReLU(), convolution(inner, width, size=1)),
        )

    return ImageNet(lambda width, n: MultistepStage([aggregated(width) for _ in range(n)]))


def pairs(width: int, n: int) -> list[nn.Module]:
    return [nn.ModuleList([pre_activation(width, width) for _ in range(2)]) for _ in range(n)]


class FractalStage(nn.Module):
    """k1 x + k2 (k3 x + f1(x)) + f2(k3 x + f1(x)) / 2."""

    def __init__(self, blocks: list[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.k = nn.ParameterList([torch.tensor([0.5, 0.5, 1.0], dtype=torch.float64)])

    def forward(self, x: Tensor) -> Tensor:
        k1, k2, k3 = self.k[0]
        for first, second in self.blocks:
            inner = k3 * x + first(x)
            x = k1 * x + k2 * inner + second(inner) / 2
        return x


def fractalnet() -> ImageNet:
    return ImageNet(lambda width, n: FractalStage(pairs(width, n)))


def shake_shake() -> ImageNet:
    def step(block: nn.Module, x: Tensor) -> Tensor:
        first, second = block
        if not block.training:
            return x + (first(x) + second(x)) / 2
        share = torch.rand(len(x), 1, 1, 1)
        return x + share * first(x) + (1 - share) * second(x)

    return ImageNet(lambda width, n: Stage(pairs(width, n), step))


class StochasticDepthStage(nn.Module):
    """x + eta / p f(x), eta ~ Bernoulli(p)."""

    def __init__(self, blocks: list[nn.Module], survival: list[float]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.survival = survival

    def forward(self, x: Tensor) -> Tensor:
        for p, block in zip(self.survival, self.blocks, strict=True):
            increment = block(x)
            x = x + (torch.rand(len(x), 1, 1, 1) < p) / p * increment if self.training else x + increment
        return x


def stochastic_depth() -> ImageNet:
    survival = iter([1 - n / 6 * 0.5 for n in range(7)])
    return ImageNet(
        lambda width, n: StochasticDepthStage(
            [pre_activation(width, width) for _ in range(n)], [next(survival) for _ in range(n)]
        )
    )


class Layer(nn.Module):
    """A convolution with constants, as bare tensors."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.b = nn.Parameter(torch.zeros(width))
        self.K = nn.ParameterList([torch.zeros(width, width, 3, 3)])

    def force(self, x: Tensor) -> Tensor:
        """-K^T relu(K x + b)."""
        inner = torch.relu(functional.conv2d(x, self.K[0], self.b, padding=1))
        return -functional.conv_transpose2d(inner, self.K[0], padding=1)


def parabolic() -> ImageNet:
    return ImageNet(lambda width, n: Stage([Layer(width) for _ in range(n)], lambda layer, x: x + 0.2 * layer.force(x)))


class ImexBlock(nn.Module):
    """(I + K^T K)^-1 (2 x + f(x)), K a stencil in every channel, by FFT."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stencil = nn.Parameter(torch.zeros(width, 3, 3))
        self.f = pre_activation(width, width)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        k = torch.fft.rfft2(self.stencil, s=size)
        explicit = torch.fft.rfft2(2 * x + self.f(x))
        return torch.fft.irfft2(explicit / (1 + k.real**2 + k.imag**2), s=size)


def imex() -> ImageNet:
    return ImageNet(lambda width, n: nn.Sequential(*(ImexBlock(width) for _ in range(n))))


class Lean(nn.Module):
    """A 1 x 1 coupling and a 5-point stencil on each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.coupling = nn.Parameter(torch.zeros(width, width, 1, 1))
        self.stencil = nn.Parameter(torch.zeros(width, 5))
        places = torch.zeros(5, 9)
        places[range(5), [4, 1, 7, 3, 5]] = 1.0
        self.register_buffer("places", places)

    def forward(self, x: Tensor) -> Tensor:
        kernel = (self.stencil @ self.places).reshape(-1, 1, 3, 3)
        return functional.conv2d(x, self.coupling) + functional.conv2d(x, kernel, padding=1, groups=len(kernel))


def lean() -> ImageNet:
    def branch(width: int) -> nn.Sequential:
        return nn.Sequential(
            *(nn.BatchNorm2d(width), nn.ReLU(), Lean(width)), *(nn.BatchNorm2d(width), nn.ReLU(), Lean(width))
        )

    return ImageNet(lambda width, n: Stage([branch(width) for _ in range(n)], residual))
