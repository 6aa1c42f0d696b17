"""The filter bank: learnable convolution kernels that remain derivatives of a given order while they learn."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import conv1d, conv2d, conv3d
from torch.nn.utils import parametrize

from backbone.errors import UsageError
from pdenet.fields.field import Boundary
from pdenet.filters.margins import with_margins
from pdenet.filters.moments import (
    Derivative,
    Stencil,
    centred,
    fixed_moments,
    kernel_from_moments,
    moments_from_kernel,
    starting_kernel,
    unit_moments,
)

Mode = Literal["frozen", "constrained", "free"]

_CORRELATE = {1: conv1d, 2: conv2d, 3: conv3d}


class MomentKernels(nn.Module):
    """Parametrization of kernels by their free moments; the fixed ones cannot be broken, whatever the optimiser does.

    fixed: which moments are held, " filter *kernel". moments: their values; the values elsewhere are not used.
    """

    def __init__(self, fixed: Bool[Tensor, " filter *kernel"], moments: Float[Tensor, " filter *kernel"]) -> None:
        super().__init__()
        self.offsets = tuple(centred(size) for size in fixed.shape[1:])
        self.register_buffer("free", torch.nonzero(~fixed.flatten()).squeeze(1))
        self.register_buffer("held", torch.where(fixed, moments, 0.0))

    def moments(self, free: Float[Tensor, " free"]) -> Float[Tensor, " filter *kernel"]:
        """All moments: the held ones and, in their places, the free ones."""
        return self.held.flatten().index_copy(0, self.free, free).reshape(self.held.shape)

    def forward(self, free: Float[Tensor, " free"]) -> Float[Tensor, " filter *kernel"]:
        """The kernels with these free moments."""
        return kernel_from_moments(self.moments(free), self.offsets)

    def right_inverse(self, kernels: Float[Tensor, " filter *kernel"]) -> Float[Tensor, " free"]:
        """The free moments of given kernels; whatever their fixed moments are is dropped."""
        return moments_from_kernel(kernels, self.offsets).flatten()[self.free]


class FilterBank(nn.Module):
    """Evaluates many derivatives of all channels in one correlation with learnable kernels.

    D_a u = dx^-a sum_k q_a[k] u(x + k dx), the kernel q_a given by its moments (see `pdenet.filters.moments`).

    derivatives: orders along each axis of the array, for example (0, 1) is d/dx of a "y x" grid.
    dx, boundary: per space axis; next to a wall ("none") the kernels act as one-sided stencils of the same order.
    mode: "frozen" learns nothing; "constrained" holds the moments that decide each derivative to order `accuracy`
    and learns the rest; "free" learns all. stencil: what the kernels start from (`starting_kernel`).
    Raises UsageError if the size cannot hold a derivative.
    """

    def __init__(
        self,
        derivatives: Sequence[Derivative],
        *,
        dx: Sequence[float],
        boundary: Sequence[Boundary],
        size: int = 5,
        mode: Mode = "constrained",
        accuracy: int = 2,
        stencil: Stencil = "accurate",
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        super().__init__()
        _demand_known("mode", mode, get_args(Mode))
        _demand_known("stencil", stencil, get_args(Stencil))
        self.derivatives = tuple(derivatives)
        self.boundary = tuple(boundary)
        shape = (size,) * len(self.boundary)
        kernels = torch.stack(
            [starting_kernel(one, size, stencil, dtype=dtype, device=device) for one in self.derivatives]
        )
        if mode == "constrained":
            fixed = torch.stack([fixed_moments(one, accuracy, shape, device=device) for one in self.derivatives])
            held = torch.stack([unit_moments(one, shape, dtype=dtype, device=device) for one in self.derivatives])
        else:
            fixed = torch.full(kernels.shape, mode == "frozen", device=device)
            held = moments_from_kernel(kernels, (centred(size),) * len(shape))
        scales = [prod(h**-order for h, order in zip(dx, one, strict=True)) for one in self.derivatives]
        column = (-1, *[1] * len(shape))
        self.register_buffer("scales", torch.tensor(scales, dtype=dtype, device=device).reshape(column))
        self.kernels = nn.Parameter(kernels)
        parametrize.register_parametrization(self, "kernels", MomentKernels(fixed, held), unsafe=True)

    @property
    def moments(self) -> Float[Tensor, " filter *kernel"]:
        """The moment matrices of all filters, fixed and free entries, with their gradient."""
        held: MomentKernels = self.parametrizations["kernels"][0]
        return held.moments(self.parametrizations["kernels"].original)

    def forward(self, u: Float[Tensor, "batch channel *space"]) -> Float[Tensor, "filter channel batch *space"]:
        """Every derivative of every channel, in units of the data."""
        return self._correlate(u, self.scales * self.kernels)

    def both_sides(
        self, u: Float[Tensor, "batch channel *space"]
    ) -> tuple[Float[Tensor, "filter channel batch *space"], Float[Tensor, "axis channel batch *space"]]:
        """Every derivative, and those of `first_derivatives` once more with their kernels turned to the other side.

        Turned: minus the kernel mirrored along the axis, which keeps the moments of odd order and so the accuracy.
        """
        kernels = self.scales * self.kernels
        turned = [-kernels[index].flip(axis) for index, axis in self.first_derivatives]
        values = self._correlate(u, torch.cat([kernels, torch.stack(turned)]))
        return values[: len(kernels)], values[len(kernels) :]

    @property
    def first_derivatives(self) -> tuple[tuple[int, int], ...]:
        """(index of the filter, axis) of every pure first derivative of the bank."""
        return tuple((index, one.index(1)) for index, one in enumerate(self.derivatives) if sum(one) == 1)

    def _correlate(
        self, u: Float[Tensor, "batch channel *space"], kernels: Float[Tensor, " stacked *kernel"]
    ) -> Float[Tensor, "stacked channel batch *space"]:
        """One correlation of all fields with all kernels; the fields are the batch, the kernels the channels out."""
        size = kernels.shape[-1]
        # one more point than the kernel: a centred even derivative is one order better than its points tell
        wide = with_margins(u.transpose(0, 1), size // 2, self.boundary, size + 1)
        fields = wide.reshape(-1, 1, *wide.shape[2:])
        values = _CORRELATE[len(self.boundary)](fields, kernels.unsqueeze(1))
        return values.transpose(0, 1).reshape(len(kernels), u.shape[1], u.shape[0], *u.shape[2:])


def _demand_known(option: str, word: str, words: Sequence[str]) -> None:
    if word not in words:
        raise UsageError(f"{option} '{word}' is unknown", where=option, cure=f"use {', '.join(words)}")
