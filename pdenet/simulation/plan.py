"""The plan of a simulation: words and defaults made into settings, all of them checked before any work."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from backbone.device import resolve_device
from backbone.errors import ResourceError, UsageError
from pdenet.equations.expression import axes_used, parse_system
from pdenet.equations.syntax import System
from pdenet.equations.terms import is_velocity
from pdenet.simulation.catalogue import CATALOGUE, Row
from pdenet.simulation.initial import parse_initial
from pdenet.simulation.noise import NoiseDefinition, noise_definition
from pdenet.simulation.sizes import parse_grid, parse_length, snapshot_times

TYPED_GRIDS = {1: (256,), 2: (64, 64), 3: (32, 32, 32)}
TYPED_START = "random:modes=4,amplitude=1"
PRECISIONS = {"float64": torch.float64, "float32": torch.float32}


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
    def channels(self) -> tuple[str, ...]:
        """Channels of the solution."""
        return (*self.system.variables, *self.row.also)

    @property
    def names(self) -> tuple[str, ...]:
        """Channels of the data: velocities are not given out."""
        return tuple(name for name in self.channels if not is_velocity(name))


def make_plan(
    equation: str,
    *,
    grid: str | int | Sequence[int] | None,
    length: str | float | Sequence[float] | None,
    runs: int | None,
    t_end: float | None,
    save_every: float | None,
    noise: float,
    noise_def: str,
    seed: int,
    init: str | None,
    params: Mapping[str, float] | None,
    burn_in: float | None,
    tolerance: float,
    device: str,
    dtype: str,
) -> Plan:
    """The plan of `simulate`'s words; every wrong one is refused here."""
    row = find_row(equation, params or {})
    points = row.grid if grid is None else parse_grid(grid, axes_used(row.text))
    parameters = {**row.parameters, **(params or {})}
    system = parse_system(row.text, len(points), parameters)
    plan = Plan(
        system=system,
        row=row,
        parameters=parameters,
        shape=points[::-1],
        lengths=parse_length(row.length[0] if length is None else length, len(points))[::-1],
        runs=row.runs if runs is None else runs,
        times=snapshot_times(
            row.t_end if t_end is None else t_end, row.save_every if save_every is None else save_every
        ),
        burn_in=row.burn_in if burn_in is None else burn_in,
        initial=init or row.initial,
        noise=noise,
        noise_def=noise_definition(noise_def),
        seed=seed,
        tolerance=tolerance,
        device=resolve_device(device),
        dtype=precision(dtype),
    )
    _check(plan)
    return plan


def precision(word: str) -> torch.dtype:
    """The type of the numbers inside; UsageError for anything but float64 and float32."""
    if word not in PRECISIONS:
        raise UsageError(f"unknown precision '{word}'", where="--precision", cure="--precision float64")
    return PRECISIONS[word]


def find_row(equation: str, params: Mapping[str, float]) -> Row:
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
    grid = TYPED_GRIDS[axes_used(equation)]
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
