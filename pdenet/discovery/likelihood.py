"""Maximum likelihood of coefficients and starting states: Gauss-Newton on the misfit of multiple shooting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Float64
from torch import Tensor

from backbone.errors import Diverged
from pdenet.discovery.half_spectrum import HalfSpectrum
from pdenet.discovery.rollout import doubled, explicit_steps, too_fast
from pdenet.discovery.shooting import Linearised, Shooting
from pdenet.discovery.tangent import RollOut, Row, System
from pdenet.discovery.windows import Windows

MAX_ITERATIONS = 30
CONVERGED = 0.05  # step of the coefficients in units of their standard errors
NEAR = 1.0  # the same, from which on it can be seen which terms count
HALVINGS = 6  # of a step that raises the misfit
MAX_SUBSTEPS = 64
STEP_ERROR = 0.3  # of all time steps together in units of noise: it moves a coefficient by less than so many errors
INFLATED = 5.0  # factor on the variance of a coefficient from which terms count as collinear
TESTED = 4  # windows on which the error of the time steps is measured


@dataclass(frozen=True)
class Problem:
    """Windows of data and how they are run through. n_substeps: time steps per snapshot."""

    spectrum: HalfSpectrum
    windows: Windows
    n_substeps: int = 1

    def size(self, rows: Sequence[Row]) -> int:
        """Numbers that a roll-out, its record and the tangents of all rows hold."""
        products = [term for _, term in rows if term.degree > 1]
        n_factors = len({factor for term in products for factor in term.factors})
        n_slopes = len({(row, factor) for row, term in rows if term.degree > 1 for factor in term.factors})
        n_moments = 4 * (self.windows.n_times - 1) * self.n_substeps * len(self.windows)
        record = n_moments * math.prod(axis.n_products for axis in self.spectrum.axes) * (n_factors + n_slopes)
        return record + 4 * (len(rows) + 1) * self.windows.values.numel()

    def within(self, rows: Sequence[Row], most: int) -> Problem:
        """As many of the windows, evenly spread, as hold no more numbers; at least one."""
        return replace(self, windows=self.windows.thinned(len(self.windows) * most // max(self.size(rows), most)))

    def with_steps_for(self, rows: Sequence[Row], coefficients: Float64[Tensor, " row"]) -> Problem:
        """The fewest time steps whose error is small against the noise. Raises Diverged if none are."""
        some = self.windows.some(slice(None, None, -(-len(self.windows) // TESTED)))
        system = System(self.spectrum, rows, coefficients)
        start = self.spectrum.to_modes(some.start * some.unit)
        allowed = STEP_ERROR**2 * len(some) / len(self.windows)
        fewest = explicit_steps(system.coupling(system.left_over(coefficients)), some.dt)

        def run(n: int) -> Tensor:
            return RollOut(system, coefficients, start, some.dt, some.n_times - 1, n).states

        for n, coarse, fine in doubled(run, fewest, MAX_SUBSTEPS):
            change = some.measured(self.spectrum.to_values(fine - coarse))
            if float(change.square().sum()) < allowed:
                return replace(self, n_substeps=n)
        raise too_fast(MAX_SUBSTEPS, some.dt)


@dataclass(frozen=True)
class Maximum:
    """Coefficients of greatest likelihood. free: which rows were fitted. quadratic: of the misfit in the free ones."""

    rows: tuple[Row, ...]
    coefficients: Float64[Tensor, " row"]
    free: tuple[int, ...]
    shooting: Shooting
    quadratic: Linearised
    n_freedoms: int
    converged: bool

    @property
    def scale(self) -> float:
        """Misfit per degree of freedom: 1 if the noise is what it was thought to be and the equation is right."""
        return self.shooting.misfit / self.n_freedoms

    @cached_property
    def covariance(self) -> Float64[Tensor, "row row_"]:
        """Of the free coefficients: the inverse information, with the noise as large as the misfit says."""
        return torch.linalg.inv(self.quadratic.information) * self.scale

    @property
    def is_entangled(self) -> bool:
        """Whether terms do each other's work: the others inflate the variance of a coefficient more than fivefold."""
        inflation = self.quadratic.information.diagonal() * self.covariance.diagonal() / self.scale
        return bool((inflation > INFLATED).any())

    @property
    def significance(self) -> Float64[Tensor, " row"]:
        """|t| of the free coefficients."""
        return self.coefficients[list(self.free)].abs() / self.covariance.diagonal().sqrt()


def maximise(
    problem: Problem,
    rows: Sequence[Row],
    coefficients: Float64[Tensor, " row"],
    free: Sequence[int],
    start: Float64[Tensor, "window channel *coarse"],
    *,
    lost: Float64[Tensor, "free_row window channel *coarse"] | None = None,
    tolerance: float = CONVERGED,
) -> Maximum:
    """Gauss-Newton from the given coefficients and whitened starting states. Raises Diverged if they blow up.

    free: rows whose coefficients are fitted; the others keep theirs. lost: by_coefficient of a linearisation nearby.
    tolerance: the last step of each coefficient, in units of its standard error.
    """
    system = System(problem.spectrum, rows, coefficients)
    shooting = Shooting(system, problem.windows, coefficients, start, problem.n_substeps)
    for _ in range(MAX_ITERATIONS):
        quadratic = shooting.linearised(free, lost)
        lost = quadratic.by_coefficient
        step = torch.linalg.solve(quadratic.information, quadratic.score)
        errors = torch.linalg.inv(quadratic.information).diagonal().sqrt()
        settled = bool((step.abs() <= tolerance * errors).all())
        lower = _lower(shooting, free, step, quadratic)
        shooting = lower or shooting
        if settled or lower is None:
            break
    n_freedoms = problem.windows.n_freedoms - len(free)
    return Maximum(tuple(rows), shooting.coefficients, tuple(free), shooting, quadratic, n_freedoms, settled)


def gone_on(problem: Problem, maximum: Maximum, kept: Sequence[int] | None = None) -> Maximum:
    """The maximum sought on from where it was left, with all its rows or the `kept` ones."""
    rows = range(len(maximum.rows)) if kept is None else kept
    places = [place for place, row in enumerate(maximum.free) if row in rows]
    free = [list(rows).index(maximum.free[place]) for place in places]
    lost = maximum.quadratic.by_coefficient[places]
    coefficients = maximum.coefficients[list(rows)]
    return maximise(problem, [maximum.rows[k] for k in rows], coefficients, free, maximum.shooting.start, lost=lost)


def _lower(shooting: Shooting, free: Sequence[int], step: Tensor, quadratic: Linearised) -> Shooting | None:
    """The shooting after the step, or half of it, or a quarter ..., once that lowers the misfit."""
    for halving in range(HALVINGS):
        try:
            moved = shooting.moved(free, step, quadratic, 0.5**halving)
        except Diverged:
            continue
        if moved.misfit < shooting.misfit:
            return moved
    return None
