"""The last word on coefficients and terms: maximum likelihood from the equations that regression found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import Diverged
from pdenet.discovery.elimination import complete, eliminate, unexplained
from pdenet.discovery.half_spectrum import HalfSpectrum
from pdenet.discovery.likelihood import Maximum, Problem, maximise
from pdenet.discovery.refit import Fit
from pdenet.discovery.resolution import seen_wave_numbers
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.rollout import fourier_axes
from pdenet.discovery.tangent import Row
from pdenet.discovery.windows import Windows
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

LONGEST = 20  # snapshots of a window; longer ones tell more, but cost more and may be chaotic
SHORT = 4  # snapshots of windows on which terms are exchanged
CLEAN = 1e-5  # noise over the spread of the data below which regression is as good
LARGEST_SCALE = 2.0  # misfit per degree of freedom above which data and equation differ by more than noise
MOST_NUMBERS = 100_000_000  # of the roll-out and its tangents that are held at once, 8 bytes each


@dataclass(frozen=True)
class Likelihood:
    """The fit of greatest likelihood, or None, and what was done or why it could not be."""

    fit: Fit | None
    words: str


def fit_by_likelihood(
    field: Field,
    fit: Fit,
    libraries: Mapping[str, Sequence[Term]],
    noise: Float64[np.ndarray, "run channel"],
    restrictions: Restrictions,
    *,
    device: torch.device,
    progress: Callable[[str], None] = lambda text: None,
) -> Likelihood:
    """Coefficients, and terms that count, of greatest likelihood when the starting states are unknown too.

    fit: where to start. libraries: candidates of each variable's equation, of which missing ones may join.
    """
    obstacle = _obstacle(field, noise)
    if obstacle:
        return Likelihood(None, obstacle)
    rows = [(c, term) for c, equation in enumerate(fit.equations) for term in equation.terms]
    values = [value for equation in fit.equations for value in equation.coefficients]
    fixed = {(c, term) for c, name in enumerate(field.names) for term in restrictions.fixed.get(name, {})}
    candidates = [(c, term) for c, name in enumerate(field.names) for term in libraries[name]]
    degree = max(term.degree for _, term in (*rows, *candidates))
    spectrum = HalfSpectrum(
        field.names, field.axes, fourier_axes(field, seen_wave_numbers(field, noise), degree), device
    )
    windows = Windows.cut(field, noise, _window(field.n_times), spectrum)
    coefficients = torch.tensor(values, dtype=torch.float64, device=device)
    free = [k for k, row in enumerate(rows) if row not in fixed]
    if not free:
        return Likelihood(None, "nothing is left to fit")
    try:
        problem = Problem(spectrum, windows).with_steps_for(rows, coefficients)
        progress("maximising the likelihood")
        maximum = maximise(problem, rows, coefficients, free, windows.values[0])
        if unexplained(maximum) > 0.0:
            progress("exchanging terms")
            maximum = _exchange(problem, maximum, candidates, field, noise)
        maximum = eliminate(problem, maximum, len(candidates))
    except (Diverged, torch.linalg.LinAlgError):
        return Likelihood(None, "the equations cannot be run through the data")
    if not maximum.converged or maximum.scale > LARGEST_SCALE:
        return Likelihood(None, f"the data differ from the equations by {maximum.scale:.3g} times their noise")
    return Likelihood(_as_fit(maximum, field.names), f"misfit {maximum.scale:.4g} times that of noise")


def _exchange(
    problem: Problem,
    maximum: Maximum,
    candidates: Sequence[Row],
    field: Field,
    noise: Float64[np.ndarray, "run channel"],
) -> Maximum:
    """Terms exchanged first on short windows, through which wrong equations run as well, then on the whole ones."""
    windows = Windows.cut(field, noise, min(SHORT, field.n_times), problem.spectrum)
    short = Problem(problem.spectrum, windows, problem.n_substeps)
    rough = maximise(short, maximum.rows, maximum.coefficients, maximum.free, windows.values[0])
    better = complete(short, rough, candidates)
    if set(better.rows) != set(maximum.rows):
        again = maximise(problem, better.rows, better.coefficients, better.free, problem.windows.values[0])
        maximum = again if again.scale < maximum.scale else maximum
    return complete(problem, maximum, candidates)


def _window(n_times: int) -> int:
    """Snapshots of a window: the whole run, or as equal parts of it as can be."""
    return n_times // -(-n_times // LONGEST)


def _obstacle(field: Field, noise: Float64[np.ndarray, "run channel"]) -> str:
    """Why the likelihood cannot be maximised at all; empty if it can."""
    if field.has_gaps or any(side != "periodic" for side in field.boundary):
        return "the data have walls or gaps"
    spread = np.std(np.moveaxis(field.values, 2, 0).reshape(len(field.names), -1), axis=1)
    if (noise < CLEAN * spread).any():
        return "the data are clean"
    return ""


def _as_fit(maximum: Maximum, names: Sequence[str]) -> Fit:
    """Equations and covariance in the order in which they are printed."""
    order = sorted(range(len(maximum.rows)), key=lambda k: _place(maximum.rows[k]))
    covariance = np.zeros((len(order),) * 2)
    covariance[np.ix_(maximum.free, maximum.free)] = maximum.covariance.cpu().numpy()
    covariance = covariance[np.ix_(order, order)]
    errors = np.sqrt(np.diag(covariance))
    values = maximum.coefficients[order].tolist()
    equations = []
    for channel, name in enumerate(names):
        mine = [k for k, row in enumerate(order) if maximum.rows[row][0] == channel]
        terms = tuple(maximum.rows[order[k]][1] for k in mine)
        equations.append(
            Equation(f"{name}_t", terms, tuple(values[k] for k in mine), tuple(errors[k].item() for k in mine))
        )
    return Fit(tuple(equations), covariance)


def _place(row: Row) -> tuple[int, int, str]:
    channel, term = row
    return channel, term.order, str(term)
