"""The frame of residual networks for small images: a stem, three stages of a flow each, transitions, a head.

He, Zhang, Ren, Sun, CVPR 2016, section 4.2, in the pre-activation form of ECCV 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.dynamics import Autonomous, Layered
from backbone.errors import UsageError
from backbone.flow import EndOf, Flow
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.stem import Stemmed

Images = Float[Tensor, "batch channel row col"]
Branch = Callable[[int, torch.Generator], nn.Module]  # of a width
Stage = Callable[[int, int], Flow]  # of a width and a number of steps


@dataclass(frozen=True, kw_only=True)
class ImageShape:
    """depth: convolutions on the way, 6 n + 2. widths: channels of the three stages. channels: of the image."""

    depth: int = 20
    classes: int = 10
    channels: int = 3
    widths: tuple[int, ...] = (16, 32, 64)

    def __post_init__(self) -> None:
        if self.depth < 14 or (self.depth - 2) % 6:
            raise UsageError(f"depth must be 6 n + 2 with n > 1, got {self.depth}", where="depth", cure="depth=20")

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps of each stage's flow; a transition is a block of its stage."""
        blocks = (self.depth - 2) // 6
        return (blocks, *[blocks - 1] * (len(self.widths) - 1))


def image_net(shape: ImageShape, stage: Stage, generator: torch.Generator) -> Stemmed:
    """Images to logits: stage(width, n_steps) makes the flow of a stage."""
    stem = convolution(shape.channels, shape.widths[0], generator)
    parts: list[nn.Module] = [EndOf(stage(shape.widths[0], shape.steps[0]))]
    for (narrow, wide), n_steps in zip(pairwise(shape.widths), shape.steps[1:], strict=True):
        parts += [Transition(narrow, wide, generator), EndOf(stage(wide, n_steps))]
    return Stemmed(stem, nn.Sequential(*parts, Head(shape.widths[-1], shape.classes, generator)))


def unit_steps(n_steps: int, length: float = 1.0) -> Grid:
    """n_steps steps of one length."""
    return Grid.uniform(0.0, length * n_steps, n_steps)


def layered_flow(
    fields: Sequence[nn.Module], scheme: Scheme, *, length: float = 1.0, gradient: Gradient = Backprop()
) -> Flow:
    """One field per step, steps of one length."""
    grid = unit_steps(len(fields), length)
    return Flow(Layered(fields, grid), grid, scheme, gradient=gradient)


def residual_branches(branch: Branch, width: int, n_steps: int, generator: torch.Generator) -> list[nn.Module]:
    """A residual branch for each step."""
    return [Autonomous(branch(width, generator)) for _ in range(n_steps)]


def pre_activation(width: int, generator: torch.Generator) -> nn.Sequential:
    """BN, ReLU, 3 x 3 convolution, twice."""
    return _pre_activation(width, width, generator)


def _pre_activation(n_in: int, n_out: int, generator: torch.Generator, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(n_in),
        nn.ReLU(),
        convolution(n_in, n_out, generator, stride=stride),
        nn.BatchNorm2d(n_out),
        nn.ReLU(),
        convolution(n_out, n_out, generator),
    )


def convolution(
    n_in: int, n_out: int, generator: torch.Generator, *, size: int = 3, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    """A convolution without constants, He's normal weights."""
    layer: nn.Conv2d = nn.utils.skip_init(  # type: ignore[no-untyped-call]
        nn.Conv2d, n_in, n_out, size, stride=stride, padding=size // 2, groups=groups, bias=False
    )
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", generator=generator)
    return layer


def linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    """A linear layer, weights N(0, 1 / n_in), constants zero."""
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out)  # type: ignore[no-untyped-call]
    nn.init.normal_(layer.weight, std=n_in**-0.5, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


class Transition(nn.Module):
    """P x + branch(x) with stride 2 in both: Euler's step from a projected state. A flow's history begins after it."""

    def __init__(self, n_in: int, n_out: int, generator: torch.Generator) -> None:
        super().__init__()
        self.project = convolution(n_in, n_out, generator, size=1, stride=2)
        self.branch = _pre_activation(n_in, n_out, generator, stride=2)

    def forward(self, x: Images) -> Float[Tensor, "batch wide half_row half_col"]:
        projected: Tensor = self.project(x)
        branched: Tensor = self.branch(x)
        return projected + branched


class Head(nn.Module):
    """BN, ReLU, mean over the image, linear."""

    def __init__(self, n_in: int, classes: int, generator: torch.Generator) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(n_in)
        self.linear = linear(n_in, classes, generator)

    def forward(self, x: Images) -> Float[Tensor, "batch class"]:
        logits: Tensor = self.linear(torch.relu(self.norm(x)).mean((2, 3)))
        return logits
