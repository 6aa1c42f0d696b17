"""Data for a forecast: the state that it starts from and the measurements it is compared with, in the model's terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backbone.errors import InputError
from pdenet.discovery.velocities import with_velocities
from pdenet.fields.boundary import settle_boundaries
from pdenet.fields.field import Field, space_axes
from pdenet.forecasting.schedule import from_the_measurements
from pdenet.forecasting.source import Solver
from pdenet.learned.record import Learned
from pdenet.readers.contents import Contents, Note, inspect_command, load
from pdenet.readers.coordinates import COORDINATE_NAMES, STEP_NAMES, find_coordinates
from pdenet.readers.options import ReadOptions
from pdenet.readers.reader import Source, gather, opened, told_boundaries

Data = Field | Source | Sequence[Source]
STEP_AGREEMENT = 1e-5  # relative, of grid spacings: coordinates in float32 agree to this


def read_states(data: Data, learned: Learned, options: ReadOptions, note: Note) -> Field:
    """Snapshots of the model's variables, in its order; a single one is enough, also without an axis of time.

    What a file leaves open is taken from the data that the model was learnt from, and told: steps and boundaries.
    Raises InputError if a variable is missing or the number of space axes differs.
    """
    if isinstance(data, Field):
        return _in_order(data, learned)
    if _complex_names(learned):
        options = replace(options, split_complex=True)
    with opened(data) as raw:
        files = [_with_time(contents, learned) for contents in raw]
        if options.variables is None and all(name in files[0].arrays for name in learned.measured):
            options = replace(options, variables=learned.measured)
        options = _with_steps(replace(options, mask_nan=True), files[0], learned, note)
        field = _in_order(gather(files, options, note), learned)
        field = _at_its_time(field, files[0])
    sides = told_boundaries(files, options, field.axes)
    if sides is None and learned.data is not None:
        sides = learned.data.boundary
    return settle_boundaries(field, sides, note)


def start_from(data: Data | None, init: Data | None, learned: Learned, options: ReadOptions, note: Note) -> Field:
    """The one snapshot to start from: the last one of `data`, or the first one of `init`."""
    if init is not None:
        start = _whole_states(read_states(init, learned, options, note), learned).select(times=slice(0, 1))
    elif data is not None:
        start = _whole_states(read_states(data, learned, options, note), learned)
        start = start.select(times=slice(start.n_times - 1, start.n_times))
    else:
        raise ValueError("nothing to start from")
    holes = ~np.isfinite(start.values)
    if holes.any():
        raise InputError(
            f"the snapshot at t = {start.t0:g}, where the forecast starts, has {holes.sum()} NaN or Inf",
            where=start.source,
            cure="fill them before saving, or start from a whole snapshot",
        )
    return start


def _whole_states(field: Field, learned: Learned) -> Field:
    """With the velocities that equations of u_tt start from, estimated from the snapshots round each."""
    return with_velocities(replace(field, time_order=learned.time_order))


def check_grid(start: Field, learned: Learned, solvers: Sequence[Solver], note: Note) -> None:
    """Tell of a start on another grid or with other boundaries; InputError if the network would run on another grid."""
    if learned.data is not None and learned.data.boundary != start.boundary:
        note(f"the start has the boundaries {','.join(start.boundary)}; learnt from {','.join(learned.data.boundary)}")
    if np.allclose(start.dx, learned.dx, rtol=STEP_AGREEMENT, atol=0.0):
        return
    here, there = (",".join(f"{h:g}" for h in dx) for dx in (start.dx, learned.dx))
    if "network" in solvers:
        raise InputError(
            f"the grid spacing is {here}; the filters of the network are made for {there}",
            where=start.source,
            cure="--solver equation, which knows no grid",
        )
    note(f"the grid spacing is {here}; learnt from data with {there}")


def check_comparable(start: Field, measured: Field) -> None:
    """InputError unless the measurements stand on the grid of the forecast, with as many runs."""
    rows = {
        "runs": (start.n_runs, measured.n_runs),
        "grid points": (start.space_shape, measured.space_shape),
    }
    wrong = [(what, here, there) for what, (here, there) in rows.items() if here != there]
    if not wrong and not np.allclose(start.dx, measured.dx, rtol=STEP_AGREEMENT, atol=0.0):
        wrong = [("grid spacings", start.dx, measured.dx)]
    for what, here, there in wrong:
        raise InputError(
            f"the {what} differ: {here} in the forecast, {there} in the measurements",
            where=f"--compare {measured.source}",
            cure=from_the_measurements(measured),
        )


def _with_time(contents: Contents, learned: Learned) -> Contents:
    """The file with an axis of time, of length one, for variables that have axes of space only."""
    names = [name for name in (*learned.measured, *_complex_names(learned)) if name in contents.arrays]
    still = [name for name in names if contents.arrays[name].ndim == len(learned.dx)]
    arrays = {name: load(contents.arrays[name], name, contents.source)[np.newaxis] for name in still}
    dims = {name: ("time", *contents.dims.get(name, space_axes(len(learned.dx)))) for name in still}
    return replace(contents, arrays={**contents.arrays, **arrays}, dims={**contents.dims, **dims})


def _complex_names(learned: Learned) -> list[str]:
    """Variables whose real and imaginary parts were learnt; in files they may be whole."""
    stems = [name.removesuffix("Re") for name in learned.measured if name.endswith("Re")]
    return [stem for stem in stems if f"{stem}Im" in learned.measured]


def _with_steps(options: ReadOptions, contents: Contents, learned: Learned, note: Note) -> ReadOptions:
    """Options with the steps of the model's data where neither the user nor the file tells them."""
    known = {axis for axis, points in find_coordinates(contents).items() if len(points) > 1}
    known |= {axis for axis, name in STEP_NAMES.items() if name in contents.arrays}
    if options.dt is None and "time" not in known:
        options = replace(options, dt=learned.dt)
    if options.dx is None and known.isdisjoint(space_axes(len(learned.dx))):
        note(f"no grid spacing in the file: {','.join(f'{h:g}' for h in learned.dx)}, as learnt from")
        options = replace(options, dx=learned.dx)
    return options


def _in_order(field: Field, learned: Learned) -> Field:
    """The model's variables only, in its order."""
    missing = [name for name in learned.measured if name not in field.names]
    if missing:
        raise InputError(
            f"learnt were {', '.join(learned.measured)}; there is no {' and no '.join(missing)} "
            f"among {', '.join(field.names)}",
            where=field.source,
            cure=inspect_command(field.source),
        )
    if field.n_dims != len(learned.dx):
        raise InputError(
            f"{field.n_dims} space axes; learnt from data with {len(learned.dx)}",
            where=field.source,
            cure="forecast from data of the kind it was learnt from",
        )
    order = [field.names.index(name) for name in learned.measured]
    return replace(field, values=field.values[:, :, order], names=learned.measured)


def _at_its_time(field: Field, contents: Contents) -> Field:
    """A single snapshot at the time that its file tells, which has no step."""
    times = [
        name for name in COORDINATE_NAMES["time"] if name in contents.arrays and contents.arrays[name].shape == (1,)
    ]
    if field.n_times > 1 or not times:
        return field
    return replace(field, t0=float(load(contents.arrays[times[0]], times[0], contents.source)[0]))
