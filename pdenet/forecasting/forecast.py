"""`forecast`: what a run of `learn` found, run forward from a state and held against measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.varying.equation import VaryingEquation
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.forecasting.comparison import error_by_time, horizon, relative_size, spreads
from pdenet.forecasting.ensemble import (
    Ensemble,
    coefficient_covariance,
    draw_equations,
    ensemble_tolerance,
    run_ensemble,
)
from pdenet.forecasting.plan import Plan, make_plan
from pdenet.forecasting.rolling import forecast_by_equations, forecast_by_network
from pdenet.forecasting.snapshots import Data
from pdenet.forecasting.source import Run, Solver
from pdenet.readers.options import ReadOptions

RANGE_MARGIN = 0.05  # of the width of the trained range; less outside is no news
Told = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecast:
    """Forecasts from one state, and how far to trust them.

    fields: by solver, the one asked for first; their first snapshot is the start. curves: relative errors and
    differences at the times of the forecast, by what they are, NaN where nothing was measured, in units of the
    standard deviation of the measurements, else of the forecast. horizons: by solver, the time at which the error
    passes 10 %, None if it does not. notes: what the reader should know, doubts among them.
    """

    plan: Plan
    fields: Mapping[Solver, Field]
    ensemble: Ensemble | None
    curves: Mapping[str, Float64[np.ndarray, " time"]]
    horizons: Mapping[Solver, float | None]
    notes: tuple[str, ...]

    @property
    def field(self) -> Field:
        """The forecast of the first solver."""
        return self.fields[self.plan.solvers[0]]


def forecast(
    run: Run,
    data: Data | None = None,
    *,
    init: Data | None = None,
    t_end: float | None = None,
    save_every: float | None = None,
    solver: str | None = None,
    ensemble: int = 0,
    compare: Data | None = None,
    variables: str | Sequence[str] | None = None,
    dims: str | Sequence[str] | None = None,
    dt: float | None = None,
    dx: str | float | Sequence[float] | None = None,
    boundary: str | Sequence[str] | None = None,
    complex_parts: str | None = None,
    tolerance: float = 1e-6,
    seed: int = 0,
    device: str = "auto",
    told: Told = lambda text: None,
) -> Forecast:
    """Run what `learn` found forward, from the last snapshot of `data` or from the first one of `init`.

    run: the folder of a run, or a fitted PDENet. data, init, compare: files or a Field. t_end: time of the last
    snapshot, on the clock of the data; by default the end of `compare`. save_every: by default the step of `compare`,
    else of the data. solver: "equation", "network" or "both"; None takes the network of a run of the paper's recipe.
    ensemble: members with coefficients drawn from their covariance, 0 or at least 2. variables to complex_parts: how
    files are read, as in `pdenet.read`. tolerance: relative error of the equation's solver from one snapshot to the
    next. seed: of the draws. told: progress.
    Raises UsageError for a wrong word, InputError for data that do not fit the run, ModelError for a run that cannot
    be read, Diverged with time and place at a blow-up, UntrustedResult for equations that cannot be run.
    """
    options = ReadOptions.checked(
        variables=variables, dims=dims, dt=dt, dx=dx, boundary=boundary, complex_parts=complex_parts
    )
    plan = make_plan(
        run,
        data,
        init=init,
        t_end=t_end,
        save_every=save_every,
        solver=solver,
        ensemble=ensemble,
        compare=compare,
        options=options,
        tolerance=tolerance,
        seed=seed,
        device=device,
    )
    return run_plan(plan, told)


def run_plan(plan: Plan, told: Told = lambda text: None) -> Forecast:
    """Forecast, draw the ensemble, compare."""
    fields = {solver: _run(plan, solver, told) for solver in plan.solvers}
    notes = [*plan.notes, *_out_of_range(plan, fields)]
    ensemble = _ensemble(plan, notes.append, told) if plan.ensemble else None
    unit = spreads(fields[plan.solvers[0]] if plan.measured is None else plan.measured)
    errors = {
        solver: error_by_time(field, plan.measured, plan.pairs, unit)
        for solver, field in fields.items()
        if plan.measured is not None
    }
    curves = {f"error of the {solver}": curve for solver, curve in errors.items()}
    if len(fields) == 2:
        curves["equation - network"] = relative_size(fields["equation"].values - fields["network"].values, unit)
    if ensemble is not None:
        curves["spread of the ensemble"] = relative_size(ensemble.spread.values, unit)
    return Forecast(
        plan=plan,
        fields=fields,
        ensemble=ensemble,
        curves=curves,
        horizons={solver: horizon(plan.times, curve) for solver, curve in errors.items()},
        notes=tuple(notes),
    )


def _run(plan: Plan, solver: Solver, told: Told) -> Field:
    """The forecast of one of the models."""
    told(f"running the {solver}")
    if solver == "equation":
        return _by_equations(plan, plan.source.learned.equations, plan.tolerance)
    model = plan.source.load_network(plan.start, plan.device)
    dt = plan.source.learned.dt
    return forecast_by_network(model, plan.start, plan.times, dt=dt, steps=plan.network_steps, device=plan.device)


def _by_equations(plan: Plan, equations: tuple[Equation, ...] | tuple[VaryingEquation, ...], tolerance: float) -> Field:
    return forecast_by_equations(equations, plan.start, plan.times, tolerance=tolerance, device=plan.device)


def _ensemble(plan: Plan, note: Told, told: Told) -> Ensemble:
    learned = plan.source.learned
    covariance = coefficient_covariance(learned, note)
    members = draw_equations(learned.equations, covariance, plan.ensemble, np.random.default_rng(plan.seed))
    tolerance = ensemble_tolerance(learned.equations, covariance, plan.tolerance)
    found = run_ensemble(learned.equations, members, lambda one: _by_equations(plan, one, tolerance), told)
    if found.lost:
        note(f"{found.lost} of {found.size} members of the ensemble blow up and are left out")
    return found


def _out_of_range(plan: Plan, fields: Mapping[Solver, Field]) -> list[str]:
    """What leaves the range of values that the model has seen, by more than a little."""
    data = plan.source.learned.data
    if data is None:
        return []
    told = []
    for solver, field in fields.items():
        for k, name in enumerate(field.names):
            low, high = data.ranges[name]
            margin = RANGE_MARGIN * (high - low)
            reached = (float(field.values[:, :, k].min()), float(field.values[:, :, k].max()))
            beyond = [value for value in reached if not low - margin <= value <= high + margin]
            if beyond:
                told.append(
                    f"{name} reaches {max(beyond, key=abs):.3g} by the {solver}, learnt on [{low:.3g}, {high:.3g}]: "
                    "outside, nothing is known"
                )
    return told
