"""From files to a Field: `read` finds the variables, their axes, steps and boundaries, and refuses what is unusable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any, get_args
from weakref import finalize

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError, UsageError
from pdenet.fields.boundary import settle_boundaries
from pdenet.fields.field import Boundary, Field
from pdenet.fields.memory import Memory
from pdenet.readers.alarms import check_layout, problems
from pdenet.readers.contents import Contents, Note, inspect_command
from pdenet.readers.dims import to_standard_order
from pdenet.readers.formats import open_file
from pdenet.readers.labelled import from_xarray
from pdenet.readers.large import joined, read_large
from pdenet.readers.layout import Layout
from pdenet.readers.options import ReadOptions
from pdenet.readers.variables import demand_one_grid, real_parts


class OtherGrid(InputError):
    """Data that cannot stand in one array."""


Source = str | PathLike[str] | Any  # a path, or an xarray.Dataset or DataArray
STEP_AGREEMENT = 1e-5  # relative, of the steps of several files: coordinates in float32 agree to this


def read(
    data: Source | Sequence[Source],
    *,
    variables: str | Sequence[str] | None = None,
    dims: str | Sequence[str] | None = None,
    dt: float | None = None,
    dx: str | float | Sequence[float] | None = None,
    boundary: str | Sequence[str] | None = None,
    complex_parts: str | None = None,
    mask_nan: bool = False,
    memory: str | None = None,
    note: Note = lambda text: None,
) -> Field:
    """Read a file, folder or xarray.Dataset, or several as more runs on the same grid with the same time step.

    variables: names in the file (default: every array that is no coordinate). dims: the axes in the order they have
    in the file, such as `run,time,y,x` or short `run,t,y,x`. dt, dx: steps, dx one for all or one per space axis in
    the order z, y, x; they win over the coordinates in the file. boundary: "periodic" or "none", one for all or one
    per space axis (default: as the file says, else judged from the data). complex_parts: "split" makes two real
    variables of each complex one. mask_nan: values that are NaN or Inf are gaps, NaN in the field, and no error.
    memory: a limit, as "2G", or "auto" for half of the machine's; values that are too large for it stay on disk, and
    what works on them reads them in stretches. None reads everything.
    note: is told every decision that was not the user's.
    Raises UsageError for a wrong word, InputError for data that cannot be read or used.
    """
    options = ReadOptions.checked(
        variables=variables, dims=dims, dt=dt, dx=dx, boundary=boundary, complex_parts=complex_parts, mask_nan=mask_nan
    )
    return read_with(data, options, memory=memory, note=note)


def read_with(
    data: Source | Sequence[Source],
    options: ReadOptions,
    *,
    memory: str | None = None,
    note: Note = lambda text: None,
) -> Field:
    """`read` with its words in one place."""
    limit = None if memory is None else Memory.of(memory)
    with ExitStack() as stack:
        files = _open_all(data, stack)
        layouts = [Layout.of(contents, options) for contents in files]
        if limit is not None and sum(layout.nbytes for layout in layouts) > limit.for_data:
            field = _on_disk(layouts, options, note)
            finalize(field.values, stack.pop_all().close)
            return field
        field = _joined(layouts, note)
    for problem in problems(field, mask_nan=options.mask_nan):
        raise problem
    return settle_boundaries(field, told_boundaries(files, options, field.axes), note)


@contextmanager
def opened(data: Source | Sequence[Source]) -> Iterator[list[Contents]]:
    """The arrays of every file or data set, open for reading; UsageError if none is named."""
    with ExitStack() as stack:
        yield _open_all(data, stack)


def _open_all(data: Source | Sequence[Source], stack: ExitStack) -> list[Contents]:
    several = data if isinstance(data, list | tuple) else [data]
    if not several:
        raise UsageError("no file is named", where="FILE", cure=inspect_command("data.npz"))
    files = []
    for one in several:
        files.append(open_file(Path(one)) if isinstance(one, str | PathLike) else from_xarray(one))
        stack.callback(files[-1].close)
    return files


def gather(files: Sequence[Contents], options: ReadOptions, note: Note) -> Field:
    """The runs of all files with their axes and steps; values are not judged yet and boundaries are all "none"."""
    return _joined([Layout.of(contents, options) for contents in files], note)


def _joined(layouts: Sequence[Layout], note: Note) -> Field:
    """The runs of all files in memory."""
    note_once = _once(note)
    fields = [_field(layout, note_once) for layout in layouts]
    for other in fields[1:]:
        check_same_grid(fields[0], other)
    return as_runs(fields)


def as_runs(fields: Sequence[Field]) -> Field:
    """Fields on the same grid as runs of one."""
    if len(fields) == 1:
        return fields[0]
    values = np.concatenate([field.values for field in fields])
    return replace(fields[0], values=values, source=", ".join(field.source for field in fields))


def _on_disk(layouts: Sequence[Layout], options: ReadOptions, note: Note) -> Field:
    """The runs of all files where they are."""
    told = told_boundaries([layout.contents for layout in layouts], options, layouts[0].space)
    note_once = _once(note)
    for layout in layouts:
        _tell_remarks(layout, note_once)
    fields = read_large(layouts, told, note_once)
    for other in fields[1:]:
        check_same_grid(fields[0], other)
    return joined(fields)


def _once(note: Note) -> Note:
    """A note that tells nothing twice."""
    told: set[str] = set()

    def note_once(text: str) -> None:
        if text not in told:
            told.add(text)
            note(text)

    return note_once


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


def _tell_remarks(layout: Layout, note: Note) -> None:
    for remark in layout.contents.remarks:
        note(remark)


def _field(layout: Layout, note: Note) -> Field:
    """The runs of one file."""
    _tell_remarks(layout, note)
    source, options = layout.contents.source, layout.options
    channels: dict[str, Float64[np.ndarray, "run time *space"]] = {}
    for name, array in layout.arrays.items():
        for part, values in real_parts(name, array, source, note, split=options.split_complex).items():
            check_layout(part, values, layout.dims[name], source)
            channels[part] = to_standard_order(values, layout.dims[name])
    demand_one_grid(channels, source)
    turned = [3 + layout.space.index(axis) for axis in layout.turned]
    values = np.flip(np.stack(list(channels.values()), axis=2), turned)
    if options.mask_nan:
        values = np.where(np.isfinite(values), values, np.nan)
    return layout.field(values, tuple(channels), note)


def check_same_grid(first: Field, other: Field) -> None:
    """OtherGrid unless the runs of both can stand in one array; InputError if they are not of the same variables."""
    if sorted(first.names) != sorted(other.names):
        common = [name for name in first.names if name in other.names]
        raise InputError(
            f"the variables differ: {', '.join(first.names)} in {first.source}, {', '.join(other.names)} in "
            f"{other.source}",
            where=other.source,
            cure=f"--var {','.join(common)}" if common else inspect_command(first.source),
        )
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
            raise OtherGrid(
                f"the {what} differ: {mine} in {first.source}, {theirs} in {other.source}",
                where=other.source,
                cure=inspect_command(first.source),
            )
