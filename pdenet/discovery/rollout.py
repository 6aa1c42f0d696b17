"""Running a polynomial equation forward on a periodic box, differentiably: Galerkin in space, ETDRK4 in time.

The state holds the Fourier coefficients with |k| <= cutoff on each axis, "batch channel *mode", complex128. Linear
terms of a variable in its own equation form the diagonal part, which the scheme solves exactly; every other term is a
product on a grid fine enough to be free of aliasing. Coefficients are a tensor, so gradients reach them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Complex128, Float64
from torch import Tensor

from backbone.dynamics import Dynamics, SemiLinear
from backbone.errors import Diverged
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4
from pdenet.discovery.normal_equations import along_axes
from pdenet.equations.equation import Equation
from pdenet.equations.library import evaluate_term
from pdenet.equations.terms import Factor, Term
from pdenet.fields.field import Field

MAX_SUBSTEPS = 256
NEARLY = 10.0  # times the tolerance
STABLE = 2.5  # rate times step up to which the scheme is stable where it is explicit, on both axes of the plane


@dataclass(frozen=True)
class FourierAxis:
    """Transforms of one axis between n data points, modes -cutoff..cutoff and a product grid."""

    n_points: int
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
    rows = zip(field.space_shape, field.lengths, cutoffs, strict=True)
    return tuple(FourierAxis(n, length, k, (degree + 1) * k + 1) for n, length, k in rows)


class GalerkinEquations(Dynamics):
    """dy/dt of the Fourier coefficients under a polynomial system.

    supports: the terms of each variable's equation. coefficients: all of them in that order, "term", or
    "term batch" for other coefficients in every sample.
    """

    def __init__(
        self,
        names: Sequence[str],
        letters: Sequence[str],
        axes: Sequence[FourierAxis],
        supports: Sequence[Sequence[Term]],
        coefficients: Float64[Tensor, " term *batch"],
    ) -> None:
        super().__init__()
        self.names = tuple(names)
        self.letters = tuple(letters)
        self.supports = tuple(tuple(support) for support in supports)
        self.coefficients = coefficients
        device = coefficients.device
        self._to_products = [torch.as_tensor(a.synthesis(a.n_products), device=device) for a in axes]
        self._to_modes = [torch.as_tensor(a.analysis(a.n_products), device=device) for a in axes]
        self._waves = [torch.as_tensor(a.wave_numbers, device=device) for a in axes]
        words = {factor.derivative for support in self.supports for term in support for factor in term.factors}
        self._multipliers = {word: self._multiplier(word) for word in words | {""}}
        self._semi_linear = SemiLinear(self._symbol(), self._products)

    def on(self, t0: float, t1: float) -> SemiLinear:
        return self._semi_linear

    def fewest_substeps(self, dt: float) -> int:
        """The least number of steps within dt for which linear terms that the symbol does not hold are stable."""
        shape = (len(self.names),) * 2 + tuple(map(len, self._waves))
        matrix = torch.zeros(shape, dtype=torch.complex128, device=self.coefficients.device)
        for c, term, coefficient in self._indexed():
            if term.degree == 1 and not self._is_own_linear(c, term):
                (factor,) = term.factors
                entry = coefficient.flatten()[0] * self._multipliers[factor.derivative]
                matrix[c, self.names.index(factor.variable)] += entry
        return explicit_steps(matrix, dt)

    def _is_own_linear(self, channel: int, term: Term) -> bool:
        return term.degree == 1 and term.factors[0].variable == self.names[channel]

    def _indexed(self) -> list[tuple[int, Term, Tensor]]:
        """Equation, term and coefficient, "batch 1 ..." or a number, of every term."""
        flat = [(c, term) for c, support in enumerate(self.supports) for term in support]
        ones = (1,) * len(self._waves)
        values = self.coefficients if self.coefficients.ndim == 1 else self.coefficients.unflatten(1, (-1, *ones))
        return [(c, term, values[k]) for k, (c, term) in enumerate(flat)]

    def _multiplier(self, word: str) -> Complex128[Tensor, "*mode"]:
        """(i k)^alpha of a derivative such as "xxy", over all modes."""
        shape = tuple(len(k) for k in self._waves)
        symbol = torch.ones(shape, dtype=torch.complex128, device=self.coefficients.device)
        for axis, (letter, wave) in enumerate(zip(self.letters, self._waves, strict=True)):
            view = wave.reshape(-1, *(1,) * (len(shape) - axis - 1))
            symbol = symbol * (1j * view) ** word.count(letter)
        return symbol

    def _symbol(self) -> Complex128[Tensor, "*batch_channel_mode"]:
        batch = self.coefficients.shape[1:]
        rows = [torch.zeros_like(self._multipliers[""]).expand(*batch, *map(len, self._waves)) for _ in self.names]
        for c, term, coefficient in self._indexed():
            if self._is_own_linear(c, term):
                rows[c] = rows[c] + coefficient * self._multipliers[term.factors[0].derivative]
        return torch.stack(rows, dim=len(batch))

    def _products(self, t: float, y: Complex128[Tensor, "batch channel *mode"]) -> Tensor:
        terms = [row for row in self._indexed() if not self._is_own_linear(row[0], row[1])]
        wanted = {factor for _, term, _ in terms for factor in term.factors} or {Factor(self.names[0])}
        factors = {
            factor: along_axes(
                y[:, self.names.index(factor.variable)] * self._multipliers[factor.derivative], self._to_products
            ).real
            for factor in sorted(wanted)
        }
        shape = next(iter(factors.values())).shape
        rows = [torch.zeros(shape, dtype=torch.float64, device=y.device) for _ in self.names]
        for c, term, coefficient in terms:
            rows[c] = rows[c] + coefficient * evaluate_term(term, factors)
        return along_axes(torch.stack(rows, dim=1).to(torch.complex128), self._to_modes)


def explicit_steps(coupling: Complex128[Tensor, "channel channel_ *mode"], dt: float) -> int:
    """Steps within dt that keep the scheme stable for d(modes)/dt = coupling modes, taken explicitly.

    Short waves that are not there yet show no instability in a few steps, but grow through many.
    """
    if not bool(coupling.any()):
        return 1
    rates = torch.linalg.eigvals(torch.movedim(coupling.flatten(2), -1, 0)).abs()
    return max(1, math.ceil(float(rates.max()) * dt / STABLE))


def to_modes(values: Float64[Tensor, "*batch"], axes: Sequence[FourierAxis]) -> Complex128[Tensor, "*batch_modes"]:
    """Fourier coefficients of grid values along the last axes."""
    operators = [torch.as_tensor(a.analysis(a.n_points), device=values.device) for a in axes]
    return along_axes(values.to(torch.complex128), operators)


def to_values(modes: Complex128[Tensor, "*batch_modes"], axes: Sequence[FourierAxis]) -> Float64[Tensor, "*batch"]:
    """Grid values of Fourier coefficients along the last axes."""
    operators = [torch.as_tensor(a.synthesis(a.n_points), device=modes.device) for a in axes]
    return along_axes(modes, operators).real


def roll_out(
    equations: GalerkinEquations,
    start: Complex128[Tensor, "batch channel *mode"],
    dt: float,
    n_steps: int,
    n_substeps: int,
) -> Complex128[Tensor, "saved batch channel *mode"]:
    """The states at 0, dt, ..., n_steps dt. Raises Diverged if the equation blows up."""
    grid = Grid.uniform(0.0, n_steps * dt, n_steps * n_substeps)
    return integrate(equations, start, grid, ETDRK4(), save="all").ys[::n_substeps]


def choose_substeps(
    equations: GalerkinEquations, start: Complex128[Tensor, "batch channel *mode"], dt: float, tolerance: float
) -> int:
    """Fewest steps per snapshot whose result changes by less than `tolerance` (relative) when they are doubled.

    Where a change that is nearly as small no longer shrinks, more steps do not help: waves of noise turn too fast.
    """
    n, coarse, before = equations.fewest_substeps(dt), None, math.inf
    while n <= MAX_SUBSTEPS:
        try:
            fine = roll_out(equations, start, dt, 1, n)[-1]
        except Diverged:
            fine = None
        if coarse is not None and fine is not None:
            change = float(torch.linalg.vector_norm(fine - coarse) / torch.linalg.vector_norm(fine))
            if change < tolerance or before / 2.0 < change < NEARLY * tolerance:
                return n // 2
            before = change
        coarse = fine
        n *= 2
    raise Diverged(n, dt, where="roll-out of the equation", cure="check the sign of the highest derivative")


def equations_of(
    equations: Sequence[Equation], letters: Sequence[str], axes: Sequence[FourierAxis], device: torch.device
) -> GalerkinEquations:
    """The dynamics of discovered equations."""
    coefficients = [c for equation in equations for c in equation.coefficients]
    return GalerkinEquations(
        [equation.variable for equation in equations],
        letters,
        axes,
        [equation.terms for equation in equations],
        torch.tensor(coefficients, dtype=torch.float64, device=device),
    )
