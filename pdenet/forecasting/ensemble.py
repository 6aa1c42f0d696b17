"""What the uncertainty of the coefficients does to a forecast: many forecasts, with coefficients drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from backbone.errors import UntrustedResult, UsageError
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.learned.record import Learned

COARSEST = 1e-4  # tolerance of the solver


@dataclass(frozen=True, eq=False)
class Ensemble:
    """spread: standard deviation over the members at every point. size: members asked for. lost: those that blew up."""

    spread: Field
    size: int
    lost: int


def coefficient_covariance(
    learned: Learned, note: Callable[[str], None]
) -> Float64[np.ndarray, "coefficient coefficient_"]:
    """The covariance that `learn` stored, else the squares of the standard errors; UsageError without either."""
    if learned.covariance is not None:
        return learned.covariance
    if learned.has_fields:
        raise UsageError(
            "coefficients that are fields have no covariance to draw from", where="--ensemble", cure="--ensemble 0"
        )
    errors = [error for equation in learned.equations for error in equation.errors]
    if len(errors) != sum(len(equation.terms) for equation in learned.equations):
        raise UsageError(
            "the coefficients came without standard errors: there is nothing to draw from",
            where="--ensemble",
            cure="--ensemble 0, or learn with --recipe default",
        )
    note("the run holds standard errors but no covariance: coefficients are drawn independently")
    return np.diag(np.square(errors))


def draw_equations(
    equations: Sequence[Equation],
    covariance: Float64[np.ndarray, "coefficient coefficient_"],
    size: int,
    generator: np.random.Generator,
) -> list[tuple[Equation, ...]]:
    """`size` systems with coefficients from the normal distribution around those of `equations`."""
    mean = np.array([c for equation in equations for c in equation.coefficients])
    deviation = np.sqrt(np.diag(covariance))
    scale = np.where(deviation > 0, deviation, 1.0)  # viscosities and forcings differ by powers of ten
    correlation = covariance / np.outer(scale, scale)
    draws = generator.multivariate_normal(np.zeros(len(mean)), correlation, size, check_valid="ignore", method="eigh")
    return [_with_coefficients(equations, row.tolist()) for row in mean + scale * draws]


def _with_coefficients(equations: Sequence[Equation], coefficients: list[float]) -> tuple[Equation, ...]:
    renewed = []
    for equation in equations:
        own, coefficients = coefficients[: len(equation.terms)], coefficients[len(equation.terms) :]
        renewed.append(replace(equation, coefficients=tuple(own), errors=()))
    return tuple(renewed)


def ensemble_tolerance(
    equations: Sequence[Equation], covariance: Float64[np.ndarray, "coefficient coefficient_"], least: float
) -> float:
    """How exactly the members must be solved: a tenth of what their coefficients change by, and no better than `least`.

    Members and centre are solved alike, so most of the error of the solver is in both and leaves the spread alone.
    """
    size = np.abs([c for equation in equations for c in equation.coefficients])
    shares = np.sqrt(np.diag(covariance)) / np.maximum(size, np.finfo(float).tiny)
    return float(np.clip(0.1 * shares.max(initial=0.0), least, max(least, COARSEST)))


def run_ensemble(
    equations: tuple[Equation, ...],
    members: Sequence[tuple[Equation, ...]],
    forecast: Callable[[tuple[Equation, ...]], Field],
    told: Callable[[str], None],
) -> Ensemble:
    """Forecast the equations themselves and every member, one after the other, and keep the members' spread only.

    Raises UntrustedResult if fewer than two members last.
    """
    told("ensemble: its centre")
    centre = forecast(equations)
    total = np.zeros_like(centre.values)
    squares = np.zeros_like(centre.values)
    lost = 0
    for k, member in enumerate(members, start=1):
        told(f"ensemble: member {k} of {len(members)}")
        try:
            away = forecast(member).values - centre.values  # small, so that the squares below do not cancel
        except UntrustedResult:
            lost += 1
            continue
        total += away
        squares += away**2
    n = len(members) - lost
    if n < 2:
        raise UntrustedResult(
            f"{lost} of {len(members)} members of the ensemble blow up: within its errors the equation is unstable",
            where="--ensemble",
            cure="a smaller --t-end, or learn again from more data",
        )
    variance = np.maximum(squares - total**2 / n, 0.0) / (n - 1)
    return Ensemble(replace(centre, values=np.sqrt(variance)), len(members), lost)
