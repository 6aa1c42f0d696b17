"""Linear operators of layers with their exact transposes: dense, convolution, lean convolution."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Vectors = Float[Tensor, "batch feature"]
Images = Float[Tensor, "batch channel row col"]
# centre, above, below, left, right
FIVE_POINTS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))


class Operator(nn.Module, ABC):
    """x -> K x + b, with K^T; n_out: features (channels) of K x, n_in: those of x. b: constants, one a feature."""

    n_in: int
    n_out: int

    @abstractmethod
    def forward(self, x: Tensor, b: Tensor | None = None) -> Tensor:
        """K x + b."""

    @abstractmethod
    def transpose(self, y: Tensor, b: Tensor | None = None) -> Tensor:
        """K^T y + b."""


class Dense(Operator):
    """A matrix on features. Entries N(0, gain^2 / n_in)."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        gain: float = 1.0,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out = n_in, n_out
        self.weight = nn.Parameter(_normal((n_out, n_in), gain / math.sqrt(n_in), generator, dtype))

    def forward(self, x: Vectors, b: Tensor | None = None) -> Float[Tensor, "batch out"]:
        return functional.linear(x, self.weight, b)

    def transpose(self, y: Float[Tensor, "batch out"], b: Tensor | None = None) -> Vectors:
        return functional.linear(y, self.weight.T, b)


class Convolution(Operator):
    """A 3 x 3 convolution on images, zero outside. Entries N(0, gain^2 / (9 n_in))."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        gain: float = 1.0,
        generator: torch.Generator,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out = n_in, n_out
        self.weight = nn.Parameter(_normal((n_out, n_in, 3, 3), gain / math.sqrt(9 * n_in), generator, dtype))

    def forward(self, x: Images, b: Tensor | None = None) -> Float[Tensor, "batch out row col"]:
        return functional.conv2d(x, self.weight, b, padding=1)

    def transpose(self, y: Float[Tensor, "batch out row col"], b: Tensor | None = None) -> Images:
        return functional.conv_transpose2d(y, self.weight, b, padding=1)


class Lean(Operator):
    """A 1 x 1 coupling of all channels plus a 5-point stencil on each: n^2 + 5 n numbers instead of 9 n^2.

    Ephrath, Eliasof, Ruthotto, Haber, Treister, LeanConvNets, 2020.
    """

    def __init__(
        self, n: int, *, gain: float = 1.0, generator: torch.Generator, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.n_in = self.n_out = n
        self.coupling = nn.Parameter(_normal((n, n, 1, 1), gain / math.sqrt(n), generator, dtype))
        self.stencil = nn.Parameter(_normal((n, 5), gain / math.sqrt(5), generator, dtype))
        places = torch.zeros(5, 3, 3, dtype=dtype)
        for point, (row, col) in enumerate(FIVE_POINTS):
            places[point, row, col] = 1.0
        self.register_buffer("places", places, persistent=False)

    def forward(self, x: Images, b: Tensor | None = None) -> Images:
        stencilled = functional.conv2d(x, self._kernel(), padding=1, groups=self.n_in)
        return functional.conv2d(x, self.coupling, b) + stencilled

    def transpose(self, y: Images, b: Tensor | None = None) -> Images:
        stencilled = functional.conv_transpose2d(y, self._kernel(), padding=1, groups=self.n_in)
        return functional.conv_transpose2d(y, self.coupling, b) + stencilled

    def _kernel(self) -> Float[Tensor, "channel one row col"]:
        places = self.get_buffer("places")
        return torch.einsum("cp,prs->crs", self.stencil, places)[:, None]


def _normal(shape: tuple[int, ...], std: float, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    return std * torch.randn(shape, generator=generator, dtype=dtype)
