"""Running a polynomial equation forward on a periodic box, differentiably: Galerkin in space, ETDRK4 in time.

The state holds the modes of a half spectrum, "batch channel *mode". Linear terms of a variable in its own equation form
the diagonal part, which the scheme solves exactly; every other term is a product on a grid fine enough to be free of
aliasing. Coefficients are a tensor, so gradients reach them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Complex128, Float64
from torch import Tensor

from backbone.dynamics import Dynamics, SemiLinear
from backbone.errors import Diverged
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4
from pdenet.discovery.half_spectrum import HalfSpectrum
from pdenet.equations.equation import Equation
from pdenet.equations.library import evaluate_term
from pdenet.equations.terms import Factor, Term

MAX_SUBSTEPS = 256
NEARLY = 10.0  # times the tolerance
STABLE = 2.5  # rate times step up to which the scheme is stable where it is explicit, on both axes of the plane


class GalerkinEquations(Dynamics):
    """dy/dt of the Fourier coefficients under a polynomial system.

    supports: the terms of each variable's equation. coefficients: all of them in that order, "term", or
    "term batch" for other coefficients in every sample.
    """

    def __init__(
        self,
        spectrum: HalfSpectrum,
        supports: Sequence[Sequence[Term]],
        coefficients: Float64[Tensor, " term *batch"],
    ) -> None:
        super().__init__()
        self.spectrum = spectrum
        self.supports = tuple(tuple(support) for support in supports)
        self.coefficients = coefficients
        self._semi_linear = SemiLinear(self._symbol(), self._products)

    def on(self, t0: float, t1: float) -> SemiLinear:
        return self._semi_linear

    def fewest_substeps(self, dt: float) -> int:
        """The least number of steps within dt for which linear terms that the symbol does not hold are stable."""
        names = self.spectrum.names
        shape = (len(names),) * 2 + self.spectrum.mode_shape
        matrix = torch.zeros(shape, dtype=torch.complex128, device=self.coefficients.device)
        for c, term, coefficient in self._indexed():
            if term.degree == 1 and not self._is_own_linear(c, term):
                (factor,) = term.factors
                entry = coefficient.flatten()[0] * self.spectrum.multiplier(factor.derivative)
                matrix[c, names.index(factor.variable)] += entry
        return explicit_steps(matrix, dt)

    def _is_own_linear(self, channel: int, term: Term) -> bool:
        return term.degree == 1 and term.factors[0].variable == self.spectrum.names[channel]

    def _indexed(self) -> list[tuple[int, Term, Tensor]]:
        """Equation, term and coefficient, "batch 1 ..." or a number, of every term."""
        flat = [(c, term) for c, support in enumerate(self.supports) for term in support]
        ones = (1,) * len(self.spectrum.axes)
        values = self.coefficients if self.coefficients.ndim == 1 else self.coefficients.unflatten(1, (-1, *ones))
        return [(c, term, values[k]) for k, (c, term) in enumerate(flat)]

    def _symbol(self) -> Complex128[Tensor, "*batch_channel_mode"]:
        batch = self.coefficients.shape[1:]
        none = torch.zeros_like(self.spectrum.multiplier("")).expand(*batch, *self.spectrum.mode_shape)
        rows = [none for _ in self.spectrum.names]
        for c, term, coefficient in self._indexed():
            if self._is_own_linear(c, term):
                rows[c] = rows[c] + coefficient * self.spectrum.multiplier(term.factors[0].derivative)
        return torch.stack(rows, dim=len(batch))

    def _products(self, t: float, y: Complex128[Tensor, "batch channel *mode"]) -> Tensor:
        terms = [row for row in self._indexed() if not self._is_own_linear(row[0], row[1])]
        if not terms:
            return torch.zeros_like(y)
        names = self.spectrum.names
        wanted = {factor for _, term, _ in terms for factor in term.factors} or {Factor(names[0])}
        factors = self.spectrum.on_products(y, wanted)
        rows = [torch.zeros_like(next(iter(factors.values()))) for _ in names]
        for c, term, coefficient in terms:
            rows[c] = rows[c] + coefficient * evaluate_term(term, factors)
        return self.spectrum.to_modes(torch.stack(rows, dim=1))


def explicit_steps(coupling: Complex128[Tensor, "channel channel_ *mode"], dt: float) -> int:
    """Steps within dt that keep the scheme stable for d(modes)/dt = coupling modes, taken explicitly.

    Short waves that are not there yet show no instability in a few steps, but grow through many.
    """
    if not bool(coupling.any()):
        return 1
    rates = torch.linalg.eigvals(torch.movedim(coupling.flatten(2), -1, 0)).abs()
    return max(1, math.ceil(float(rates.max()) * dt / STABLE))


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


def doubled(run: Callable[[int], Tensor], n: int, most: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """n steps and where they and 2 n lead, for n, 2 n, 4 n ... up to `most`; what diverges is left out."""
    coarse = None
    while n <= most:
        try:
            fine = run(n)
        except Diverged:
            fine = None
        if coarse is not None and fine is not None:
            yield n // 2, coarse, fine
        coarse, n = fine, 2 * n


def choose_substeps(
    equations: GalerkinEquations, start: Complex128[Tensor, "batch channel *mode"], dt: float, tolerance: float
) -> int:
    """Fewest steps per snapshot whose result changes by less than `tolerance` (relative) when they are doubled.

    Where a change that is nearly as small no longer shrinks, more steps do not help: waves of noise turn too fast.
    """
    before = math.inf
    runs = doubled(lambda n: roll_out(equations, start, dt, 1, n)[-1], equations.fewest_substeps(dt), MAX_SUBSTEPS)
    for n, coarse, fine in runs:
        change = float(torch.linalg.vector_norm(fine - coarse) / torch.linalg.vector_norm(fine))
        if change < tolerance or before / 2.0 < change < NEARLY * tolerance:
            return n
        before = change
    raise too_fast(MAX_SUBSTEPS, dt)


def too_fast(n_substeps: int, dt: float) -> Diverged:
    """The error of an equation that this many steps within dt are too few for."""
    where = "roll-out of the equation"
    return Diverged(n_substeps, dt, where=where, cure="check the sign of the highest derivative")


def equations_of(equations: Sequence[Equation], spectrum: HalfSpectrum) -> GalerkinEquations:
    """The dynamics of discovered equations."""
    coefficients = [c for equation in equations for c in equation.coefficients]
    return GalerkinEquations(
        spectrum,
        [equation.terms for equation in equations],
        torch.tensor(coefficients, dtype=torch.float64, device=spectrum.device),
    )
