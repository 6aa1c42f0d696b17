"""From files to a Field: `read` finds the variables, their axes, steps and boundaries, and refuses what is unusable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import get_args

import numpy as np

from backbone.errors import InputError, UsageError
from pdenet.fields.boundary import settle_boundaries
from pdenet.fields.field import Boundary, Field, space_axes
from pdenet.readers.alarms import check_layout, problems
from pdenet.readers.contents import Contents, Note, inspect_command
from pdenet.readers.coordinates import axis_steps, find_coordinates
from pdenet.readers.dims import resolve_dims, to_standard_order
from pdenet.readers.formats import open_file
from pdenet.readers.options import ReadOptions
from pdenet.readers.variables import choose_variables, clean_names, real_values

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]
STEP_AGREEMENT = 1e-5  # relative, of the steps of several files: coordinates in float32 agree to this


def read(
    paths: Paths,
    *,
    variables: str | Sequence[str] | None = None,
    dims: str | Sequence[str] | None = None,
    dt: float | None = None,
    dx: str | float | Sequence[float] | None = None,
    boundary: str | Sequence[str] | None = None,
    note: Note = lambda text: None,
) -> Field:
    """Read one file, or several as more runs on the same grid with the same time step.

    variables: names in the file (default: every array that is no coordinate). dims: the axes in the order they have
    in the file, such as `run,time,y,x` or short `run,t,y,x`. dt, dx: steps, dx one for all or one per space axis in
    the order z, y, x; they win over the coordinates in the file. boundary: "periodic" or "none", one for all or one
    per space axis (default: as the file says, else judged from the data). note: is told every decision that was not
    the user's.
    Raises UsageError for a wrong word, InputError for data that cannot be read or used.
    """
    options = ReadOptions.checked(variables=variables, dims=dims, dt=dt, dx=dx, boundary=boundary)
    files = open_files(paths)
    field = gather(files, options, note)
    for problem in problems(field):
        raise problem
    return settle_boundaries(field, told_boundaries(files, options, field.axes), note)


def open_files(paths: Paths) -> list[Contents]:
    """The arrays of every file; UsageError if no file is named."""
    several = [paths] if isinstance(paths, str | PathLike) else list(paths)
    if not several:
        raise UsageError("no file is named", where="FILE", cure=inspect_command("data.npz"))
    return [open_file(Path(path)) for path in several]


def gather(files: Sequence[Contents], options: ReadOptions, note: Note) -> Field:
    """The runs of all files with their axes and steps; values are not judged yet and boundaries are all "none"."""
    told: set[str] = set()

    def note_once(text: str) -> None:
        if text not in told:
            told.add(text)
            note(text)

    first, *others = [_field(contents, options, note_once) for contents in files]
    for other in others:
        _check_same_grid(first, other)
    if not others:
        return first
    values = np.concatenate([first.values, *(field.values for field in others)])
    return replace(first, values=values, source=", ".join(field.source for field in (first, *others)))


def told_boundaries(
    files: Sequence[Contents], options: ReadOptions, axes: tuple[str, ...]
) -> tuple[Boundary, ...] | None:
    """The boundary of each space axis as the user says, else as all files say in words known here, else None."""
    if options.boundary is not None:
        return options.sides(axes)
    stated = files[0].boundary
    known = all(word in get_args(Boundary) for word in stated) and len(stated) == len(axes)
    if not known or any(contents.boundary != stated for contents in files):
        return None
    return ReadOptions.checked(boundary=stated).sides(axes)


def _field(contents: Contents, options: ReadOptions, note: Note) -> Field:
    """The runs of one file."""
    source = contents.source
    arrays = choose_variables(contents, options.variables)
    coordinates = find_coordinates(contents)
    lengths = {axis: len(points) for axis, points in coordinates.items()}
    name, array = next(iter(arrays.items()))
    dims = resolve_dims(name, array, lengths, given=options.dims, stated=contents.dims, source=source)
    channels = []
    for name, array in arrays.items():
        values = real_values(name, array, source, note)
        check_layout(name, values, dims, source)
        channels.append(to_standard_order(values, dims))
    space = space_axes(channels[0].ndim - 2)
    steps = axis_steps(contents, coordinates, ("time", *space), options.steps(space), note)
    return Field(
        values=np.stack(channels, axis=2),
        dt=steps["time"][1],
        dx=tuple(steps[axis][1] for axis in space),
        names=clean_names(tuple(arrays), source, note),
        boundary=("none",) * len(space),
        t0=steps["time"][0],
        origin=tuple(steps[axis][0] for axis in space),
        source=source,
    )


def _check_same_grid(first: Field, other: Field) -> None:
    """InputError unless the runs of both can stand in one array and share the equation's units."""
    rows = {
        "variables": (first.names, other.names),
        "snapshots": (first.n_times, other.n_times),
        "grid points": (first.space_shape, other.space_shape),
    }
    rows |= {
        name: (mine, theirs)
        for name, mine, theirs in zip(
            ("dt", *(f"d{axis}" for axis in first.axes)), (first.dt, *first.dx), (other.dt, *other.dx), strict=False
        )
        if not np.isclose(mine, theirs, rtol=STEP_AGREEMENT, atol=0.0)
    }
    for what, (mine, theirs) in rows.items():
        if mine != theirs:
            raise InputError(
                f"the {what} differ: {mine} in {first.source}, {theirs} in {other.source}",
                where=other.source,
                cure=inspect_command(first.source),
            )
