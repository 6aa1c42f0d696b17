"""The plan of a forecast: words and files made into a start, measurements and times, all checked before any work."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

import torch

from backbone.device import resolve_device
from backbone.errors import ResourceError, UsageError
from pdenet.fields.field import Field
from pdenet.forecasting.rolling import demand_closed, demand_periodic
from pdenet.forecasting.schedule import common_times, last_snapshot, network_steps, no_common_times
from pdenet.forecasting.snapshots import Data, check_comparable, check_grid, read_states, start_from
from pdenet.forecasting.source import Run, Solver, Source
from pdenet.readers.contents import Note
from pdenet.readers.options import ReadOptions


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Everything that decides a forecast.

    start: the one snapshot at times[0]. measured: to compare with, pairs: the places (in the forecast, in it) of
    equal times. network_steps: steps of the network until each time. notes: what was decided for the user.
    """

    source: Source
    solvers: tuple[Solver, ...]
    start: Field
    measured: Field | None
    times: tuple[float, ...]
    pairs: tuple[tuple[int, int], ...]
    network_steps: tuple[int, ...]
    ensemble: int
    tolerance: float
    seed: int
    device: torch.device
    notes: tuple[str, ...]


def make_plan(
    run: Run,
    data: Data | None,
    *,
    init: Data | None,
    t_end: float | None,
    save_every: float | None,
    solver: str | None,
    ensemble: int,
    compare: Data | None,
    options: ReadOptions,
    tolerance: float,
    seed: int,
    device: str,
) -> Plan:
    """The plan of `forecast`'s words; every wrong one is refused here."""
    _check_start(data, init)
    _check_numbers(ensemble, tolerance, seed)
    notes: list[str] = []
    source = Source.of(run)
    learned, solvers = source.learned, source.solvers(solver)
    if ensemble and "equation" not in solvers:
        raise UsageError(
            "the network has no standard errors to draw from", where="--ensemble", cure="--solver equation"
        )
    start = start_from(data, init, learned, options, notes.append)
    check_grid(start, learned, solvers, notes.append)
    if "equation" in solvers:
        demand_periodic(start)
        demand_closed(learned, start)
    measured = None if compare is None else read_states(compare, learned, options, notes.append)
    if measured is not None:
        check_comparable(start, measured)
    end, n = last_snapshot(learned, start, measured, t_end, save_every)
    times = _times(start, end, n, n_copies=len(solvers) + (3 if ensemble else 0))
    return Plan(
        source=source,
        solvers=solvers,
        start=start,
        measured=measured,
        times=times,
        pairs=() if measured is None else _pairs(start, measured, times, notes.append),
        network_steps=network_steps(times, learned.dt) if "network" in solvers else (),
        ensemble=ensemble,
        tolerance=tolerance,
        seed=seed,
        device=resolve_device(device),
        notes=tuple(dict.fromkeys(notes)),
    )


def _check_start(data: Data | None, init: Data | None) -> None:
    if data is None and init is None:
        raise UsageError(
            "nothing to start from", where="DATA", cure="pdenet-durr forecast RUN DATA, or forecast RUN --init STATE"
        )
    if data is not None and init is not None:
        raise UsageError(
            "two things to start from: the last snapshot of DATA and the first one of --init",
            where="--init",
            cure="leave out one of them",
        )


def _check_numbers(ensemble: int, tolerance: float, seed: int) -> None:
    if ensemble < 0 or ensemble == 1:
        raise UsageError(f"an ensemble of {ensemble} has no spread", where="--ensemble", cure="--ensemble 20")
    if not 1e-12 <= tolerance <= 0.1:  # the least is a few hundred roundings of a step
        raise UsageError(
            f"tolerance {tolerance:g} is not between 1e-12 and 0.1", where="--tolerance", cure="--tolerance 1e-6"
        )
    if seed < 0:
        raise UsageError(f"seed {seed} is negative", where="--seed", cure="--seed 0")


def _pairs(start: Field, measured: Field, times: tuple[float, ...], note: Note) -> tuple[tuple[int, int], ...]:
    """Places of equal times; InputError without any behind the start."""
    pairs = common_times(times, measured)
    behind = [k for k, _ in pairs if k > 0]
    if not behind:
        raise no_common_times(start, measured)
    if start.t0 < measured.t0:
        note(f"nothing is measured from the start at t = {start.t0:g} to t = {times[behind[0]]:g}")
    return tuple(pairs)


def _times(start: Field, end: float, n: int, *, n_copies: int) -> tuple[float, ...]:
    """n equal steps from the start to the end; ResourceError if so many snapshots do not fit into the memory."""
    needed = 2 * start.values.nbytes * (n + 1) * n_copies  # once more while they are compared and written
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        step, fewer = (end - start.t0) / n, 10 ** max(0, int(math.log10(n * memory / needed)))
        raise ResourceError(
            f"{n + 1} snapshots need {needed / 1e9:.1f} GB, the machine has {memory / 1e9:.1f} GB",
            where="--t-end, --save-every",
            cure=f"--save-every {step:.10g} --t-end {start.t0 + fewer * step:.10g}",
        )
    return tuple(start.t0 + (end - start.t0) * k / n for k in range(n + 1))
