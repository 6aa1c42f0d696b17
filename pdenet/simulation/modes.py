"""Fourier modes of a periodic box: transforms between any two resolutions, and symbols of derivatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from pdenet.equations.syntax import InverseLaplacian
from pdenet.equations.terms import Factor
from pdenet.fields.field import space_axes

LIMIT = 0.8  # modes above this share of the highest wave number are "at the grid limit"


@dataclass(frozen=True)
class Box:
    """A periodic box: grid points and length of each space axis in array order ([z,] y, x)."""

    shape: tuple[int, ...]
    lengths: tuple[float, ...]

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the axes in array order."""
        return space_axes(len(self.shape))

    @property
    def dims(self) -> tuple[int, ...]:
        """The space axes as trailing dimensions of an array."""
        return tuple(range(-len(self.shape), 0))

    @property
    def spectral_shape(self) -> tuple[int, ...]:
        """Shape of the coefficients of a real field: the last axis keeps wave numbers >= 0 only."""
        return (*self.shape[:-1], self.shape[-1] // 2 + 1)

    def resized(self, shape: Sequence[int]) -> Box:
        """The same box with another number of points."""
        return Box(tuple(shape), self.lengths)

    def indices(self, axis: int, device: torch.device) -> Float[Tensor, "*mode"]:
        """Whole wave numbers of one axis, shaped to broadcast over the coefficients; Nyquist counts as positive."""
        n = self.shape[axis]
        numbers = torch.arange(self.spectral_shape[axis], dtype=torch.float64, device=device)
        if axis < len(self.shape) - 1:
            numbers = torch.where(numbers > n // 2, numbers - n, numbers)
        return numbers.reshape([-1 if k == axis else 1 for k in range(len(self.shape))])

    def symbol(self, leaf: Factor | InverseLaplacian, device: torch.device) -> Complex[Tensor, "*mode"]:
        """What the leaf does to each coefficient: (i k)^n per axis, 0 at the Nyquist mode for odd n; -1/|k|^2 for the
        inverse Laplacian, whose mean is 0."""
        factor = leaf.factor if isinstance(leaf, InverseLaplacian) else leaf
        total = torch.ones(self.spectral_shape, dtype=torch.complex128, device=device)
        square = torch.zeros(self.spectral_shape, dtype=torch.float64, device=device)
        for axis, letter in enumerate(self.axes):
            k = 2 * math.pi / self.lengths[axis] * self.indices(axis, device)
            square = square + k**2
            power = factor.derivative.count(letter)
            if power % 2:
                k = torch.where(2 * self.indices(axis, device) == self.shape[axis], 0.0, k)
            total = total * (1j * k) ** power
        if isinstance(leaf, InverseLaplacian):
            total = torch.where(square > 0, -total / square.clamp_min(torch.finfo(torch.float64).tiny), 0.0)
        return total

    def points(self, axis: str, device: torch.device) -> Float[Tensor, "*space"]:
        """Coordinate of the grid points along one axis, shaped to broadcast over the space axes."""
        place = self.axes.index(axis)
        n = self.shape[place]
        x = self.lengths[place] / n * torch.arange(n, dtype=torch.float64, device=device)
        return x.reshape([-1 if k == place else 1 for k in range(len(self.shape))])

    def to_modes(self, values: Float[Tensor, "*batch"]) -> Complex[Tensor, "*batch_mode"]:
        """Coefficients c of u(x) = sum_k c_k exp(i k x): independent of the number of points."""
        return torch.fft.rfftn(values, dim=self.dims, norm="forward")

    def to_points(self, modes: Complex[Tensor, "*batch_mode"]) -> Float[Tensor, "*batch"]:
        """Values on the grid, the inverse of `to_modes`."""
        return torch.fft.irfftn(modes, s=self.shape, dim=self.dims, norm="forward")

    def grid_limit_energy(self, modes: Complex[Tensor, "run channel *mode"]) -> float:
        """Share of the energy of the fluctuation that stands at the grid limit: the worst run and channel."""
        high = torch.zeros(self.spectral_shape, dtype=torch.bool, device=modes.device)
        for axis, n in enumerate(self.shape):
            high = high | (self.indices(axis, modes.device).abs() > LIMIT * (n // 2))
        energy = modes.abs().square()
        energy[(..., *([0] * len(self.shape)))] = 0.0
        total = energy.sum(dim=self.dims)
        return float(torch.where(total > 0, (energy * high).sum(dim=self.dims) / total, 0.0).max())


def interpolate(modes: Complex[Tensor, "*batch"], source: Box, target: Box) -> Float[Tensor, "*values"]:
    """Values of the same field on the points of another box; axis by axis, so that zeros are hardly transformed.

    Here and below the Nyquist mode of an even number of points is left out: it does not tell +k from -k.
    """
    for dim, n, m in zip(source.dims[:-1], source.shape, target.shape, strict=False):
        modes = torch.fft.ifft(_fitted(modes, dim, n, m), dim=dim, norm="forward")
    kept = (min(source.shape[-1], target.shape[-1]) + 1) // 2
    return torch.fft.irfft(modes[..., :kept], n=target.shape[-1], dim=-1, norm="forward")


def project(values: Float[Tensor, "*values"], source: Box, target: Box) -> Complex[Tensor, "*batch"]:
    """Coefficients on another box of the values on the points of `source`; higher waves are cut off."""
    modes = torch.fft.rfft(values, dim=-1, norm="forward")
    modes = _fitted_half(modes, source.shape[-1], target.shape[-1])
    for dim, n, m in zip(source.dims[:-1], source.shape, target.shape, strict=False):
        modes = _fitted(torch.fft.fft(modes, dim=dim, norm="forward"), dim, n, m)
    return modes


def resize(modes: Complex[Tensor, "*batch"], source: Box, target: Box) -> Complex[Tensor, "*resized"]:
    """Coefficients of the same field on another box: cut off or filled up with zeros."""
    for dim, n, m in zip(source.dims[:-1], source.shape, target.shape, strict=False):
        modes = _fitted(modes, dim, n, m)
    return _fitted_half(modes, source.shape[-1], target.shape[-1])


def _fitted(modes: Tensor, dim: int, n: int, m: int) -> Tensor:
    """The waves that both n and m points know, on m wave numbers of one axis: 0, 1, ..., zeros, ..., -2, -1."""
    high = (min(n, m) - 1) // 2
    shape = list(modes.shape)
    shape[dim] = m - 2 * high - 1
    parts = (modes.narrow(dim, 0, high + 1), modes.new_zeros(shape), modes.narrow(dim, n - high, high))
    return torch.cat(parts, dim=dim)


def _fitted_half(modes: Tensor, n: int, m: int) -> Tensor:
    """The same for the last axis, which keeps wave numbers >= 0 only."""
    kept = (min(n, m) + 1) // 2
    return torch.nn.functional.pad(modes[..., :kept], (0, m // 2 + 1 - kept))
