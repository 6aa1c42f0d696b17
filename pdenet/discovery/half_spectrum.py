"""Real periodic fields by half of their Fourier modes: the fast transforms that repeated roll-outs need.

A field with wave numbers |k| <= cutoff on each axis is known from its values on 2 cutoff + 1 points per axis, the
coarse grid. Its modes are complex, all k on the leading axes and k >= 0 on the last one, since the rest are conjugates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Complex128, Float64
from torch import Tensor

from pdenet.discovery.along_axes import along_axes
from pdenet.equations.terms import Factor
from pdenet.fields.field import Field


@dataclass(frozen=True)
class FourierAxis:
    """Transforms of one axis between points and the modes -cutoff..cutoff. n_products: points of the product grid."""

    length: float
    cutoff: int
    n_products: int

    @property
    def wave_numbers(self) -> Float64[np.ndarray, " mode"]:
        """2 pi k / length of each mode."""
        return 2.0 * np.pi / self.length * np.arange(-self.cutoff, self.cutoff + 1)

    def synthesis(self, n: int) -> Complex128[np.ndarray, "point mode"]:
        """Values on n points from the coefficients."""
        return np.exp(2j * np.pi * np.outer(np.arange(n) / n, np.arange(-self.cutoff, self.cutoff + 1)))

    def analysis(self, n: int) -> Complex128[np.ndarray, "mode point"]:
        """Coefficients from values on n points."""
        return self.synthesis(n).conj().T / n


def fourier_axes(field: Field, cutoffs: Sequence[int], degree: int) -> tuple[FourierAxis, ...]:
    """Axes on which products of `degree` factors are free of aliasing."""
    return tuple(FourierAxis(length, k, (degree + 1) * k + 1) for length, k in zip(field.lengths, cutoffs, strict=True))


class HalfSpectrum:
    """Transforms between coarse grid, modes and the grid of products; every one is a small dense matrix per axis."""

    def __init__(
        self, names: Sequence[str], letters: Sequence[str], axes: Sequence[FourierAxis], device: torch.device
    ) -> None:
        self.names, self.letters, self.axes, self.device = tuple(names), tuple(letters), tuple(axes), device
        self.coarse_shape = tuple(2 * axis.cutoff + 1 for axis in axes)
        self.mode_shape = (*self.coarse_shape[:-1], axes[-1].cutoff + 1)
        self._operators: dict[tuple[int, int, int], Tensor] = {}
        self._multipliers: dict[str, Tensor] = {}

    def to_modes(self, values: Float64[Tensor, "*batch_point"]) -> Complex128[Tensor, "*batch_mode"]:
        """Modes of values on any grid of at least the coarse one's size, truncated."""
        shape = values.shape[-len(self.axes) :]
        half = torch.view_as_complex((values @ self._last_analysis(shape[-1]).T).unflatten(-1, (-1, 2)))
        return self._along_leading(half, [self._analysis(k, n) for k, n in enumerate(shape[:-1])])

    def to_values(self, modes: Complex128[Tensor, "*batch_mode"]) -> Float64[Tensor, "*batch_coarse"]:
        """Values on the coarse grid."""
        leading = [self._synthesis(k, n, 0) for k, n in enumerate(self.coarse_shape[:-1])]
        return self._along_last(self._along_leading(modes, leading), self.coarse_shape[-1], 0)

    def on_products(
        self, modes: Complex128[Tensor, "*batch channel *mode"], factors: Iterable[Factor]
    ) -> dict[Factor, Float64[Tensor, "*batch_point"]]:
        """Values of variables and derivatives on the grid of products; what they share is transformed once."""
        last = self.letters[-1]
        by_word: dict[str, list[Factor]] = {}
        for factor in sorted(factors):
            by_word.setdefault(factor.derivative.replace(last, ""), []).append(factor)
        values = {}
        for word, members in by_word.items():
            operators = [
                self._synthesis(k, axis.n_products, word.count(letter))
                for k, (axis, letter) in enumerate(zip(self.axes[:-1], self.letters[:-1], strict=True))
            ]
            half = self._along_leading(modes, operators).unbind(-len(self.axes) - 1)
            for factor in members:
                part = half[self.names.index(factor.variable)]
                values[factor] = self._along_last(part, self.axes[-1].n_products, factor.derivative.count(last))
        return values

    def multiplier(self, word: str) -> Complex128[Tensor, "*mode"]:
        """(i k)^alpha of a derivative such as "xxy"."""
        if word not in self._multipliers:
            symbol = torch.ones(self.mode_shape, dtype=torch.complex128, device=self.device)
            for k, letter in enumerate(self.letters):
                waves = torch.as_tensor(self._waves(k), device=self.device)
                symbol = symbol * ((1j * waves) ** word.count(letter)).reshape(-1, *(1,) * (len(self.axes) - k - 1))
            self._multipliers[word] = symbol
        return self._multipliers[word]

    def _waves(self, k: int) -> Float64[np.ndarray, " mode"]:
        waves = self.axes[k].wave_numbers
        return waves[self.axes[k].cutoff :] if k == len(self.axes) - 1 else waves

    def _along_leading(self, modes: Tensor, operators: Sequence[Tensor]) -> Tensor:
        if not operators:
            return modes
        return torch.movedim(along_axes(torch.movedim(modes, -1, -len(self.axes)), operators), -len(self.axes), -1)

    def _along_last(self, modes: Tensor, n: int, order: int) -> Tensor:
        return torch.view_as_real(modes.resolve_conj()).flatten(-2) @ self._last_synthesis(n, order).T

    def _synthesis(self, k: int, n: int, order: int) -> Complex128[Tensor, "point mode"]:
        """Values of a derivative on n points of a leading axis."""
        if (k, n, order) not in self._operators:
            matrix = self.axes[k].synthesis(n) * (1j * self.axes[k].wave_numbers) ** order
            self._operators[k, n, order] = torch.as_tensor(matrix, device=self.device)
        return self._operators[k, n, order]

    def _analysis(self, k: int, n: int) -> Complex128[Tensor, "mode point"]:
        if (k, n, -1) not in self._operators:
            self._operators[k, n, -1] = torch.as_tensor(self.axes[k].analysis(n), device=self.device)
        return self._operators[k, n, -1]

    def _last_synthesis(self, n: int, order: int) -> Float64[Tensor, "point part"]:
        """The same for the last axis, acting on real and imaginary parts of the modes k >= 0."""
        last = len(self.axes) - 1
        if (last, n, order) not in self._operators:
            cutoff = self.axes[last].cutoff
            both = self.axes[last].synthesis(n)[:, cutoff:] * (1j * self._waves(last)) ** order
            both = both * np.where(np.arange(cutoff + 1) > 0, 2.0, 1.0)
            matrix = np.stack([both.real, -both.imag], axis=-1).reshape(n, -1)
            self._operators[last, n, order] = torch.as_tensor(matrix, device=self.device)
        return self._operators[last, n, order]

    def _last_analysis(self, n: int) -> Float64[Tensor, "part point"]:
        last = len(self.axes) - 1
        if (last, n, -1) not in self._operators:
            half = self.axes[last].analysis(n)[self.axes[last].cutoff :]
            matrix = np.stack([half.real, half.imag], axis=1).reshape(-1, n)
            self._operators[last, n, -1] = torch.as_tensor(matrix, device=self.device)
        return self._operators[last, n, -1]
