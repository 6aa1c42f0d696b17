"""One simulation from words to data: a plan that is checked whole before any work, then the solution with its noise."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64

from backbone.device import resolve_device
from backbone.errors import ResourceError, UsageError
from pdenet.expression import axes_used, parse_system
from pdenet.field import Field
from pdenet.simulation.catalogue import CATALOGUE, Row
from pdenet.simulation.initial import Start, initial_fields, parse_initial
from pdenet.simulation.noise import NoiseDefinition, add_noise
from pdenet.simulation.sizes import parse_grid, parse_length, snapshot_times
from pdenet.simulation.spectral import solve_system
from pdenet.simulation.upwind_burgers import FINER, solve_upwind_burgers, upwind_step
from pdenet.syntax import System

COARSE = 1e-4  # share of energy at the grid limit from which the reader is told
CONSERVED = 1e-9  # relative drift below which a sum counts as conserved
TYPED_GRIDS = {1: (256,), 2: (64, 64), 3: (32, 32, 32)}
TYPED_START = "random:modes=4,amplitude=1"

Precision = Literal["float64", "float32"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides a simulation, checked. shape, lengths: in array order ([z,] y, x)."""

    system: System
    row: Row
    parameters: Mapping[str, float]
    shape: tuple[int, ...]
    lengths: tuple[float, ...]
    runs: int
    times: tuple[float, ...]
    burn_in: float
    initial: str
    noise: float
    noise_def: NoiseDefinition
    seed: int
    tolerance: float
    device: torch.device
    dtype: torch.dtype

    @property
    def names(self) -> tuple[str, ...]:
        """Channels of the data."""
        return (*self.system.variables, *self.row.also)


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
    noise_def: NoiseDefinition = "sample",
    seed: int = 0,
    init: str | None = None,
    params: Mapping[str, float] | None = None,
    burn_in: float | None = None,
    tolerance: float = 1e-8,
    device: str = "cpu",
    dtype: Precision = "float64",
    told: Callable[[str], None] = lambda text: None,
) -> Field:
    """Data of an equation: a name of the catalogue or text such as "u_t = -u*u_x + 0.1*u_xx".

    grid, length: in the order x, y, z ("64x32", "2pi"); snapshots at 0, save_every, ... t_end. noise: share of the
    standard deviation of each run's first snapshot ("sample") or of the whole set ("set"). init: for example
    "random:modes=4,amplitude=2,offset=2", "sine", "solitons", "spiral". burn_in: time before the first snapshot.
    None takes the catalogue's value. The same seed gives the same data; noise does not change the clean part.
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


def make_plan(
    equation: str,
    *,
    grid: str | int | Sequence[int] | None,
    length: str | float | Sequence[float] | None,
    runs: int | None,
    t_end: float | None,
    save_every: float | None,
    noise: float,
    noise_def: NoiseDefinition,
    seed: int,
    init: str | None,
    params: Mapping[str, float] | None,
    burn_in: float | None,
    tolerance: float,
    device: str,
    dtype: Precision,
) -> Plan:
    """The plan of `simulate`'s words; every wrong one is refused here."""
    points = None if grid is None else parse_grid(grid)
    row = find_row(equation, points, params or {})
    points = points or row.grid
    parameters = {**row.parameters, **(params or {})}
    system = parse_system(row.text, len(points), parameters)
    plan = Plan(
        system=system,
        row=row,
        parameters=parameters,
        shape=points[::-1],
        lengths=parse_length(row.length[0] if length is None else length, len(points))[::-1],
        runs=row.runs if runs is None else runs,
        times=snapshot_times(row.t_end if t_end is None else t_end, save_every or row.save_every),
        burn_in=row.burn_in if burn_in is None else burn_in,
        initial=init or row.initial,
        noise=noise,
        noise_def=noise_def,
        seed=seed,
        tolerance=tolerance,
        device=resolve_device(device),
        dtype={"float64": torch.float64, "float32": torch.float32}[dtype],
    )
    _check(plan)
    return plan


def find_row(equation: str, points: tuple[int, ...] | None, params: Mapping[str, float]) -> Row:
    """The catalogue's row of that name, or a row made for a typed equation."""
    if equation in CATALOGUE:
        row = CATALOGUE[equation]
        unknown = [name for name in params if name not in row.parameters]
        if unknown:
            known = ", ".join(f"{name}={value:g}" for name, value in row.parameters.items()) or "none"
            raise UsageError(
                f"{equation} has no parameter '{unknown[0]}'", where="--param", cure=f"its parameters: {known}"
            )
        return row
    if "=" not in equation:
        near = difflib.get_close_matches(equation, CATALOGUE, n=1)
        cure = f"did you mean {near[0]}?" if near else f"use one of {', '.join(CATALOGUE)}, or type u_t = ..."
        raise UsageError(f"'{equation}' is neither a known name nor an equation", where="simulate", cure=cure)
    grid = points or TYPED_GRIDS[axes_used(equation)]
    return Row(
        text=equation,
        about="typed",
        grid=grid,
        length=(2 * math.pi,) * len(grid),
        t_end=1.0,
        save_every=0.01,
        initial=TYPED_START,
    )


def _check(plan: Plan) -> None:
    """What can be refused before any work."""
    parse_initial(plan.initial)
    least = 1e-12 if plan.dtype == torch.float64 else 1e-5  # a few hundred roundings of a step
    rules = [
        (plan.runs >= 1, f"runs={plan.runs}", "--runs", "--runs 1"),
        (math.isfinite(plan.noise) and plan.noise >= 0, f"noise={plan.noise:g}", "--noise", "--noise 0.01"),
        (plan.seed >= 0, f"seed={plan.seed}", "--seed", "--seed 0"),
        (math.isfinite(plan.burn_in) and plan.burn_in >= 0, f"burn-in={plan.burn_in:g}", "--burn-in", "--burn-in 1"),
        (least <= plan.tolerance <= 0.1, f"tolerance={plan.tolerance:g}", "--tolerance", "--tolerance 1e-8"),
        (plan.noise_def in ("sample", "set"), f"noise-def={plan.noise_def}", "--noise-def", "--noise-def sample"),
    ]
    for good, what, where, cure in rules:
        if not good:
            raise UsageError(f"{what} cannot be", where=where, cure=cure)
    if plan.row.solver == "upwind" and (len(set(plan.shape)) > 1 or len(plan.shape) != 2 or len(set(plan.lengths)) > 1):
        raise UsageError("this generator works on squares", where="--grid, --length", cure="--grid 32x32 --length 2pi")
    needed = 3 * 8 * plan.runs * len(plan.times) * len(plan.names) * math.prod(plan.shape)  # data, noise, a copy
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise ResourceError(
            f"needs {needed / 1e9:.1f} GB, the machine has {memory / 1e9:.1f} GB",
            where="--grid, --runs, --t-end",
            cure="save less often, or use fewer runs or a coarser grid",
        )


def run_plan(plan: Plan, told: Callable[[str], None] = lambda text: None) -> Simulation:
    """Solve, sample, add noise. Two independent random streams: noise never changes the clean data."""
    for_fields, for_noise = map(np.random.default_rng, np.random.SeedSequence(plan.seed).spawn(2))
    solver = _spectral if plan.row.solver == "spectral" else _upwind
    clean, scheme, notes = solver(plan, for_fields, told)
    field = Field(
        values=clean,
        dt=plan.times[1] - plan.times[0],
        dx=tuple(length / n for n, length in zip(plan.shape, plan.lengths, strict=True)),
        names=plan.names,
        boundary=("periodic",) * len(plan.shape),
        source="simulate",
    )
    noisy = replace(field, values=add_noise(clean, plan.noise, plan.noise_def, for_noise))
    return Simulation(field=noisy, plan=plan, scheme=scheme, conserved=conserved_sums(field), notes=notes)


def _spectral(
    plan: Plan, generator: np.random.Generator, told: Callable[[str], None]
) -> tuple[Float64[np.ndarray, "run time channel *space"], str, tuple[str, ...]]:
    start = Start(plan.runs, len(plan.system.variables), plan.shape, plan.lengths)
    solution = solve_system(
        plan.system,
        initial_fields(plan.initial, start, generator),
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
    notes = ()
    if solution.tail > COARSE:
        notes = (f"too coarse: energy at the grid limit {100 * solution.tail:.2g} %; use a finer --grid",)
    return solution.values, scheme, notes


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
