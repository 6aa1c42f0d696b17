"""From data to equations: hold some data out, climb the library, select, score by roll-out, refit on everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import block_diag

from backbone.errors import Diverged, InputError
from pdenet.discovery.collocation import PeriodicAxis
from pdenet.discovery.groups import Groups
from pdenet.discovery.ladder import Climb, Rung, climb, rungs
from pdenet.discovery.normal_equations import assemble
from pdenet.discovery.refine import refine
from pdenet.discovery.resolution import truncation_error
from pdenet.discovery.rollout import (
    FourierAxis,
    choose_substeps,
    equations_of,
    fourier_axes,
    roll_out,
    to_modes,
    to_values,
)
from pdenet.discovery.select import fit_support
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.fields.noise import estimate_noise, noise_by_run

HELD_OUT = 0.2  # share of the runs, or of the time of a few runs
HORIZON = 10  # snapshots rolled out from each held-out start
NEIGHBOURS = 2  # models on either side of the chosen size that are rolled out as well
COARSE = 1e-4  # relative error of the slopes from which collocation is refined by shooting
ROLLOUT_MODES = 40_000  # Fourier modes rolled out together, over all starts

Covariance = Float64[np.ndarray, "coefficient coefficient_"]


@dataclass(frozen=True)
class Candidate:
    """A row of the Pareto table: a model of one equation and its error on data that were not used.

    misfit: mean square residual on the training data, in units of the largest credible model's.
    heldout_error: RMS error of the roll-out over the spread of the data; nan where it was not rolled out,
    inf where it blew up.
    """

    equation: Equation
    misfit: float
    heldout_error: float
    chosen: bool


@dataclass(frozen=True)
class Discovery:
    """The discovered equations and what speaks for them.

    equations: refitted on all data, with standard errors. fronts: candidates of each variable by number of terms.
    noise: estimated standard deviation of the measurement noise, by variable. error_over_time: roll-out error of the
    chosen system at each snapshot after a held-out start. covariance: of all coefficients, those of the first equation
    first.
    """

    equations: tuple[Equation, ...]
    fronts: Mapping[str, tuple[Candidate, ...]]
    noise: Mapping[str, float]
    order: int
    degree: int
    heldout_error: float
    error_over_time: tuple[float, ...]
    held_out: str
    covariance: Float64[np.ndarray, "coefficient coefficient_"]


def discover(
    field: Field,
    *,
    order: int | None = None,
    degree: int | None = None,
    seed: int = 0,
    device: torch.device,
    progress: Callable[[str], None] = lambda text: None,
) -> Discovery:
    """Find the equation of every variable of the field.

    order, degree: bounds of the library; None lets the data decide (up to order 4 and degree 3).
    Raises InputError if there are too few snapshots.
    """
    progress("estimating the noise")
    noise = estimate_noise(field)
    train, held, held_out = hold_out(field)
    noise_of_runs = noise_by_run(train)
    setting = Climb(noise_of_runs, device, np.random.default_rng(seed), progress)
    found = climb(train, rungs(field, order, degree), setting)
    coarse = max(truncation_error(train, noise_of_runs, rung.collocation) for rung in found.values()) > COARSE
    scorer = _Scorer(field, held, found, coarse, device)
    # the chosen system comes first: its time steps serve the other candidates too
    errors = scorer.errors({name: found[name].equation(found[name].front.chosen) for name in field.names})
    fronts = {name: _front(name, found, scorer, progress) for name in field.names}
    fits = [_refit(field, name, found[name], device) for name in field.names]
    equations = tuple(equation for equation, _ in fits)
    covariance = block_diag(*(block for _, block in fits))
    if coarse and scorer.axes is not None and any(equation.terms for equation in equations):
        progress("snapshots are far apart in time: refining by shooting")
        equations, covariance, errors = _refined(train, equations, covariance, scorer, errors, device)
    return Discovery(
        equations=equations,
        fronts=fronts,
        noise={name: float(s) for name, s in zip(field.names, noise, strict=True)},
        order=max(rung.order for rung in found.values()),
        degree=max(rung.degree for rung in found.values()),
        heldout_error=float(np.sqrt(np.mean(np.square(errors)))) if errors else float("nan"),
        error_over_time=tuple(errors),
        held_out=held_out,
        covariance=covariance,
    )


def hold_out(field: Field) -> tuple[Field, Field, str]:
    """Data to learn from, data to score on, and which those are: every fifth run, or the end of a few runs."""
    if field.n_runs >= 5:
        held = np.arange(field.n_runs) % round(1 / HELD_OUT) == round(1 / HELD_OUT) - 1
        train, test = np.flatnonzero(~held).tolist(), np.flatnonzero(held).tolist()
        return field.select(runs=train), field.select(runs=test), f"{len(test)} of {field.n_runs} runs"
    n_train = max(field.n_times - max(round(HELD_OUT * field.n_times), 1), 3)
    if n_train >= field.n_times:
        if field.n_times < 3:
            raise InputError(
                f"{field.n_times} snapshots: a time derivative needs at least 3",
                where=field.source,
                cure="save more snapshots of each run",
            )
        return field, field, "nothing: too few snapshots"
    # the last training snapshot starts the roll-outs into the held-out stretch
    test = field.select(times=slice(n_train - 1, field.n_times))
    return (
        field.select(times=slice(0, n_train)),
        test,
        f"the last {field.n_times - n_train} of {field.n_times} snapshots",
    )


def _front(
    name: str, found: Mapping[str, Rung], scorer: _Scorer, progress: Callable[[str], None]
) -> tuple[Candidate, ...]:
    """The candidates of one variable, those near the chosen size scored with the other equations as chosen."""
    front = found[name].front
    last = min(max(front.reference, front.chosen + NEIGHBOURS), len(front.models) - 1)
    rows = []
    for size in range(1, last + 1):
        equation = found[name].equation(size)
        error = float("nan")
        if abs(size - front.chosen) <= NEIGHBOURS:
            progress(f"{name}_t: rolling out the model of {size} terms")
            system = {other: found[other].equation(found[other].front.chosen) for other in found}
            errors = scorer.errors({**system, name: equation})
            error = float(np.sqrt(np.mean(np.square(errors)))) if errors else error
        rows.append(Candidate(equation, front.models[size].misfit, error, size == front.chosen))
    return tuple(rows)


def _refit(field: Field, name: str, rung: Rung, device: torch.device) -> tuple[Equation, Covariance]:
    """The equation of the chosen terms from all data, with standard errors, and the covariance of its coefficients."""
    if not rung.support:
        return Equation(f"{name}_t", (), ()), np.zeros((0, 0))
    groups = Groups.of(field, rung.collocation, len(rung.support) + len(field.names))
    equations = assemble(field, rung.support, rung.collocation, groups, device=device)
    coefficients, covariance = fit_support(equations, name)
    errors = np.sqrt(np.diag(covariance))
    order = sorted(range(len(coefficients)), key=lambda k: (rung.support[k].order, str(rung.support[k])))
    equation = Equation(
        f"{name}_t",
        tuple(rung.support[k] for k in order),
        tuple(float(coefficients[k]) for k in order),
        tuple(float(errors[k]) for k in order),
    )
    return equation, covariance[np.ix_(order, order)]


def _refined(
    train: Field,
    equations: tuple[Equation, ...],
    covariance: Covariance,
    scorer: _Scorer,
    errors: list[float],
    device: torch.device,
) -> tuple[tuple[Equation, ...], Covariance, list[float]]:
    """Shooting's coefficients where they forecast the held-out data better, with their errors; else as they were."""
    try:
        refined, sharper = refine(train, equations, scorer.axes, device=device)
    except (Diverged, torch.linalg.LinAlgError):
        return equations, covariance, errors
    renewed = scorer.errors({equation.variable: equation for equation in refined})
    is_better = np.linalg.norm(renewed) < np.linalg.norm(errors)
    return (refined, sharper, renewed) if is_better else (equations, covariance, errors)


class _Scorer:
    """Rolls systems out from held-out states and compares them with what was measured."""

    def __init__(
        self, field: Field, held: Field, found: Mapping[str, Rung], coarse: bool, device: torch.device
    ) -> None:
        self._names, self._letters, self._dt, self._device = field.names, field.axes, field.dt, device
        self.axes: tuple[FourierAxis, ...] | None = None
        operators = [rung.collocation.axes for rung in found.values()]
        periodic = all(isinstance(axis, PeriodicAxis) for axes in operators for axis in axes)
        if not periodic or held.n_times < 2:
            return
        cutoffs = [max(axes[k].cutoff for axes in operators) for k in range(field.n_dims)]
        if coarse:  # wave numbers too fast for polynomials in time are none too fast for a roll-out
            cutoffs = [max((n - 1) // 3, 1) for n in field.space_shape]
        self.axes = fourier_axes(field, cutoffs, max(rung.degree for rung in found.values()))
        n_steps = min(HORIZON, held.n_times - 1)
        pieces = [
            held.values[run, start : start + n_steps + 1]
            for start in range(0, held.n_times - n_steps, n_steps)
            for run in range(held.n_runs)
        ]
        n_modes = int(np.prod([2 * k + 1 for k in cutoffs])) * len(field.names)
        stride = -(-len(pieces) * n_modes // ROLLOUT_MODES)
        values = torch.as_tensor(np.stack(pieces[::stride], axis=1), device=device)
        self._modes = to_modes(values, self.axes)
        self._spread = float(torch.linalg.vector_norm(values - values.mean()) / np.sqrt(len(values)))
        # what the modes leave out would be an error of the resolution, not of the equation
        self._truth = to_values(self._modes, self.axes)
        self._substeps: int | None = None

    def errors(self, system: Mapping[str, Equation]) -> list[float]:
        """RMS error over the spread of the data at each snapshot; empty where no roll-out is possible."""
        if self.axes is None:
            return []
        equations = equations_of([system[name] for name in self._names], self._letters, self.axes, self._device)
        n_steps = len(self._modes) - 1
        try:
            if self._substeps is None:
                self._substeps = choose_substeps(equations, self._modes[0], self._dt, 1e-6)
            states = roll_out(equations, self._modes[0], self._dt, n_steps, self._substeps)
        except Diverged:
            return [float("inf")] * n_steps
        miss = to_values(states, self.axes) - self._truth
        return [float(torch.linalg.vector_norm(row)) / self._spread for row in miss[1:]]
