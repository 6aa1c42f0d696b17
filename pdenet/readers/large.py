"""Files whose values do not fit in memory: they stay where they are, and are read a stretch of one run at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError, ResourceError
from pdenet.fields.boundary import settle_boundaries
from pdenet.fields.field import Boundary, Field
from pdenet.fields.memory import in_words
from pdenet.fields.on_disk import OnDisk
from pdenet.fields.stretches import stretches
from pdenet.readers.alarms import problems
from pdenet.readers.contents import DAMAGE, Note
from pdenet.readers.dims import AXES
from pdenet.readers.layout import Layout

AT_ONCE = 2**26  # bytes that are looked at together while the whole is checked
UNREAD = "too large to be looked at for a reshape in place of a transpose"


@dataclass(frozen=True)
class FileRuns:
    """The runs of one file, read when asked for."""

    layout: Layout

    @property
    def shape(self) -> tuple[int, ...]:
        """Of "run time channel *space"; InputError where variables differ."""
        sizes = {
            name: dict(zip(self.layout.dims[name], a.shape, strict=True)) for name, a in self.layout.arrays.items()
        }
        wanted = ("run", "time", *self.layout.space)
        shapes = {name: tuple(size.get(axis, 1) for axis in wanted) for name, size in sizes.items()}
        if len(set(shapes.values())) > 1:
            told = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items())
            raise InputError(
                f"the variables differ in shape: {told}",
                where=self.layout.contents.source,
                cure="choose one with --var",
            )
        n_runs, n_times, *space = next(iter(shapes.values()))
        return (n_runs, n_times, len(shapes), *space)

    def stretch(self, run: int, times: slice) -> Float64[np.ndarray, "time channel *space"]:
        """Some snapshots of one run, axes in standard order; InputError if the file is damaged there."""
        channels = [self._channel(name, run, times) for name in self.layout.arrays]
        values = np.stack(channels, axis=1)
        if self.layout.options.mask_nan:
            values[~np.isfinite(values)] = np.nan
        return values

    def _channel(self, name: str, run: int, times: slice) -> Float64[np.ndarray, " time *space"]:
        dims, source = self.layout.dims[name], self.layout.contents.source
        block = tuple(run if axis == "run" else times if axis == "time" else slice(None) for axis in dims)
        try:
            values = np.asarray(self.layout.arrays[name][block], dtype=np.float64)
        except DAMAGE as error:
            raise InputError(
                f"cannot read the numbers of {name}: {error}",
                where=f"{source}, {name}",
                cure="check that the file is whole, or save it again",
            ) from error
        left = [axis for axis in dims if axis != "run"]
        ordered = values.transpose(sorted(range(len(left)), key=lambda k: AXES.index(left[k])))
        return np.flip(ordered, [1 + self.layout.space.index(axis) for axis in self.layout.turned])


def read_large(layouts: Sequence[Layout], told: tuple[Boundary, ...] | None, note: Note) -> list[Field]:
    """The field of each file, with the boundaries that are told or seen in stretches of the first one.

    Every value is looked at once. Raises InputError for data that cannot be used, ResourceError for complex ones.
    """
    fields = [_one(layout, note) for layout in layouts]
    first = stretches(fields[0], max(AT_ONCE, 48 * fields[0].values[0, 0:1].nbytes))
    for problem in problems(first, mask_nan=True):
        raise problem
    settled = settle_boundaries(first, told, note)
    return [
        replace(field, values=field.values.cropped(settled.space_shape), boundary=settled.boundary) for field in fields
    ]


def joined(fields: Sequence[Field]) -> Field:
    """The runs of several files as one field."""
    first = fields[0]
    runs = [(field, run) for field in fields for run in range(field.n_runs)]
    source = ", ".join(field.source for field in fields)

    def stretch(run: int, times: slice) -> Float64[np.ndarray, "time channel *space"]:
        field, at = runs[run]
        return field.values[at, times]

    return replace(first, values=OnDisk((len(runs), *first.values.shape[1:]), stretch, source), source=source)


def _one(layout: Layout, note: Note) -> Field:
    """The field of one file; boundaries are not judged."""
    source = layout.contents.source
    for name, array in layout.arrays.items():
        if np.dtype(array.dtype).kind == "c":
            raise ResourceError(
                f"{name} is complex and larger than memory: its parts cannot be looked at together",
                where=f"{source}, {name}",
                cure="save its real and imaginary parts as two real arrays",
            )
    values = OnDisk(FileRuns(layout).shape, FileRuns(layout).stretch, source)
    note(f"{source}: {in_words(values.nbytes)} of values stay on disk; they are {UNREAD}")
    field = layout.field(values, tuple(layout.arrays), note)
    if not layout.options.mask_nan:
        _demand_finite(field)
    return field


def _demand_finite(field: Field) -> None:
    """InputError at the first value that is missing."""
    n = max(AT_ONCE // field.values[0, 0:1].nbytes, 1)
    for run in range(field.n_runs):
        for start in range(0, field.n_times, n):
            block = field.values[run, start : start + n]
            if np.isfinite(block).all():
                continue
            time, channel, *place = np.argwhere(~np.isfinite(block))[0]
            points = [f"t={field.times()[start + time]:g}"]
            points += [f"{axis}={field.coordinates()[axis][k]:g}" for axis, k in zip(field.axes, place, strict=True)]
            raise InputError(
                f"{field.names[channel]} has NaN or Inf, first at run {run}, {', '.join(points)}",
                where=f"{field.source}, {field.names[channel]}",
                cure="add --mask-nan to leave them out, or fill them before saving",
            )
