"""One simulation from words to data: the solution of a plan, sampled, with its noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from pdenet.equations.terms import is_velocity
from pdenet.fields.field import Field
from pdenet.simulation.initial import Start, initial_fields
from pdenet.simulation.noise import add_noise
from pdenet.simulation.plan import Plan, make_plan
from pdenet.simulation.spectral import solve_system
from pdenet.simulation.upwind_burgers import FINER, solve_upwind_burgers, upwind_step

# shares of energy at the grid limit from which the reader is told: of the solver, and of the data
UNRESOLVED = 1e-6
COARSE = 1e-3
CONSERVED = 1e-9  # relative drift below which a sum counts as conserved


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """A field and how it was made. scheme: in words. conserved: sums that did not change, with their relative drift.
    notes: what the reader should know before trusting the data."""

    field: Field
    plan: Plan
    scheme: str
    conserved: Mapping[str, float]
    notes: tuple[str, ...]


def simulate(
    equation: str,
    *,
    grid: str | int | Sequence[int] | None = None,
    length: str | float | Sequence[float] | None = None,
    runs: int | None = None,
    t_end: float | None = None,
    save_every: float | None = None,
    noise: float = 0.0,
    noise_def: str = "sample",
    seed: int = 0,
    init: str | None = None,
    params: Mapping[str, float] | None = None,
    burn_in: float | None = None,
    tolerance: float = 1e-8,
    device: str = "cpu",
    dtype: str = "float64",
    told: Callable[[str], None] = lambda text: None,
) -> Field:
    """Data of an equation: a name of the catalogue or text such as "u_t = -u*u_x + 0.1*u_xx".

    grid, length: in the order x, y, z ("64x32", "2pi"); one number serves every axis that the equation names.
    Snapshots at 0, save_every, ... t_end. noise: share of the standard deviation of each run's first snapshot
    ("sample") or of the whole set ("set"). init: for example "random:modes=4,amplitude=2,offset=2", "sine",
    "solitons", "spiral". burn_in: time before the first snapshot. None takes the catalogue's value. The same seed
    gives the same data; noise does not change the clean part. An equation of u_tt starts at rest, and u is given out.
    Raises UsageError for words that make no sense and Diverged at a blow-up.
    """
    plan = make_plan(
        equation,
        grid=grid,
        length=length,
        runs=runs,
        t_end=t_end,
        save_every=save_every,
        noise=noise,
        noise_def=noise_def,
        seed=seed,
        init=init,
        params=params,
        burn_in=burn_in,
        tolerance=tolerance,
        device=device,
        dtype=dtype,
    )
    return run_plan(plan, told).field


def run_plan(plan: Plan, told: Callable[[str], None] = lambda text: None) -> Simulation:
    """Solve, sample, add noise. Two independent random streams: noise never changes the clean data."""
    for_fields, for_noise = map(np.random.default_rng, np.random.SeedSequence(plan.seed).spawn(2))
    solver = _spectral if plan.row.solver == "spectral" else _upwind
    clean, scheme, notes = solver(plan, for_fields, told)
    field = Field(
        values=clean[:, :, [k for k, name in enumerate(plan.channels) if not is_velocity(name)]],
        dt=plan.times[1] - plan.times[0],
        dx=tuple(length / n for n, length in zip(plan.shape, plan.lengths, strict=True)),
        names=plan.names,
        boundary=("periodic",) * len(plan.shape),
        source="simulate",
    )
    noisy = replace(field, values=add_noise(field.values, plan.noise, plan.noise_def, for_noise))
    return Simulation(field=noisy, plan=plan, scheme=scheme, conserved=conserved_sums(field), notes=notes)


def _spectral(
    plan: Plan, generator: np.random.Generator, told: Callable[[str], None]
) -> tuple[Float64[np.ndarray, "run time channel *space"], str, tuple[str, ...]]:
    n_moving = sum(map(is_velocity, plan.system.variables))  # velocities, the last of the variables, start at rest
    start = Start(plan.runs, len(plan.system.variables) - n_moving, plan.shape, plan.lengths)
    initial = initial_fields(plan.initial, start, generator)
    solution = solve_system(
        plan.system,
        np.concatenate([initial, np.zeros((plan.runs, n_moving, *plan.shape))], axis=1),
        lengths=plan.lengths,
        times=plan.times,
        burn_in=plan.burn_in,
        also=plan.row.also,
        tolerance=plan.tolerance,
        device=plan.device,
        dtype=plan.dtype,
        told=told,
    )
    inner = "x".join(str(n * solution.refinement) for n in plan.shape[::-1])
    scheme = f"dealiased Fourier on {inner} points, ETDRK4, {_steps(solution.steps)}"
    notes = []
    if solution.inner_tail > UNRESOLVED:
        notes.append(f"not resolved: energy at the solver's grid limit {100 * solution.inner_tail:.2g} %")
    if solution.outer_tail > COARSE:
        notes.append(f"too coarse: energy at the grid limit {100 * solution.outer_tail:.2g} %; use a finer --grid")
    return solution.values, scheme, tuple(notes)


def _steps(steps: tuple[float, float]) -> str:
    smallest, largest = steps
    if largest == 0:
        return "exact in time"
    return f"step {smallest:.3g}" if largest < 1.01 * smallest else f"steps {smallest:.3g} to {largest:.3g}"


def _upwind(
    plan: Plan, generator: np.random.Generator, told: Callable[[str], None]
) -> tuple[Float64[np.ndarray, "run time channel *space"], str, tuple[str, ...]]:
    shape = tuple(FINER * n for n in plan.shape)
    values = solve_upwind_burgers(
        initial_fields(plan.initial, Start(plan.runs, 2, shape, plan.lengths), generator),
        length=plan.lengths[0],
        times=plan.times,
        nu=plan.parameters["nu"],
        burn_in=plan.burn_in,
        device=plan.device,
        dtype=plan.dtype,
        told=told,
    )
    step = upwind_step(plan.times[1])
    scheme = f"second-order upwind on {shape[1]}x{shape[0]} points, every {FINER}th kept, Heun, step {step:.3g}"
    notes = ("upwind differences change the equation a little: convection by about 1 %, viscosity by 1 to 3 %",)
    return values, scheme, notes


def conserved_sums(field: Field) -> dict[str, float]:
    """Mean over the box of each channel and of its square, if it does not change in any run: relative drift."""
    space = tuple(range(3, field.values.ndim))
    found = {}
    for k, name in enumerate(field.names):
        u = field.values[:, :, k : k + 1]
        size = float(np.abs(u).max())
        for label, mean in ((name, u.mean(axis=space)), (f"{name}**2", (u**2).mean(axis=space))):
            scale = size ** (2 if "**" in label else 1)
            drift = float(np.abs(mean - mean[:, :1]).max() / scale) if scale > 0 else 0.0
            if drift < CONSERVED:
                found[f"mean of {label}"] = drift
    return found
