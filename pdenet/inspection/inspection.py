"""A first look at data before anything is learned: grid, ranges, noise, resolution, and what speaks against it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.fields.boundary import settle_boundaries
from pdenet.fields.field import Boundary, Field
from pdenet.fields.noise import estimate_noise
from pdenet.readers.alarms import problems
from pdenet.readers.contents import Note
from pdenet.readers.options import ReadOptions
from pdenet.readers.reader import Source, gather, opened, told_boundaries

GRID_LIMIT_BAND = 2 / 3  # the "grid limit" is the part of the spectrum above this share of the highest wave number


@dataclass(frozen=True, kw_only=True)
class AxisReport:
    """A grid axis. at_grid_limit: largest share over the variables of the variance along this axis that lies above
    2/3 of the highest wave number (white noise: 1/3); None along time and where every line has gaps."""

    name: str
    points: int
    start: float
    step: float
    boundary: Boundary | None
    at_grid_limit: float | None


@dataclass(frozen=True, kw_only=True)
class VariableReport:
    """A variable, in its units. noise: standard deviation of its white noise. change_per_step: root mean square
    change from snapshot to snapshot. Both None where values are missing. holes: number of NaN and Inf."""

    name: str
    minimum: float
    maximum: float
    std: float
    noise: float | None
    change_per_step: float | None
    holes: int

    def relative(self, amount: float | None) -> float | None:
        """An amount as a share of the standard deviation; None if there is none of either."""
        return None if amount is None or self.std == 0.0 else amount / self.std


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found in a field; `problems` is empty if it can be learned from."""

    source: str
    runs: int
    axes: tuple[AxisReport, ...]
    variables: tuple[VariableReport, ...]
    problems: tuple[InputError, ...]

    def as_dict(self) -> dict[str, Any]:
        """The machine-readable form of `inspect --json`."""
        return {
            "source": self.source,
            "runs": self.runs,
            "axes": [asdict(axis) for axis in self.axes],
            "variables": [asdict(variable) for variable in self.variables],
        }


@dataclass(frozen=True, kw_only=True)
class ArrayReport:
    """A numeric array as it stands in a file."""

    source: str
    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, kw_only=True)
class FileInspection:
    """What was found in files. field: None if no field could be made of the arrays, for the reason in `problems`.
    learn: the command line that learns from them as they were read here."""

    arrays: tuple[ArrayReport, ...]
    field: Inspection | None
    problems: tuple[InputError, ...]
    learn: str

    def as_dict(self) -> dict[str, Any]:
        """The machine-readable form of `inspect --json`."""
        return {
            "arrays": [asdict(entry) for entry in self.arrays],
            "field": None if self.field is None else self.field.as_dict(),
            "problems": [problem.as_dict() for problem in self.problems],
            "learn": None if self.problems else self.learn,
        }


def inspect_files(
    data: Source | Sequence[Source],
    *,
    variables: str | Sequence[str] | None = None,
    dims: str | Sequence[str] | None = None,
    dt: float | None = None,
    dx: str | float | Sequence[float] | None = None,
    boundary: str | Sequence[str] | None = None,
    complex_parts: str | None = None,
    mask_nan: bool = False,
    note: Note = lambda text: None,
) -> FileInspection:
    """Measure what `read` would give with the same options; unusable data are described as far as they go.

    Raises UsageError for a wrong word and InputError for a file that cannot be opened.
    """
    options = ReadOptions.checked(
        variables=variables,
        dims=dims,
        dt=dt,
        dx=dx,
        boundary=boundary,
        complex_parts=complex_parts,
        mask_nan=mask_nan,
    )
    with opened(data) as files:
        arrays = tuple(
            ArrayReport(source=file.source, name=name, shape=tuple(array.shape), dtype=str(array.dtype))
            for file in files
            for name, array in file.arrays.items()
        )
        learn = shlex.join(["pdenet-durr", "learn", *(file.source for file in files), *options.words()])
        try:
            field = gather(files, options, note)
        except InputError as reason:
            return FileInspection(arrays=arrays, field=None, problems=(reason,), learn=learn)
    if not any(problems(field, mask_nan=mask_nan)):
        field = settle_boundaries(field, told_boundaries(files, options, field.axes), note)
    found = inspect(field, mask_nan=mask_nan)
    return FileInspection(arrays=arrays, field=found, problems=found.problems, learn=learn)


def inspect(field: Field, *, mask_nan: bool = False) -> Inspection:
    """Measure a field; a field that cannot be used is described as far as it goes. mask_nan: gaps are no problem."""
    found = tuple(problems(field, mask_nan=mask_nan))
    whole = not found
    noise = estimate_noise(field).tolist() if whole else [None] * len(field.names)
    time = AxisReport(
        name="time", points=field.n_times, start=field.t0, step=field.dt, boundary=None, at_grid_limit=None
    )
    space = tuple(
        AxisReport(
            name=axis,
            points=field.space_shape[k],
            start=field.origin[k],
            step=field.dx[k],
            boundary=field.boundary[k] if whole else None,
            at_grid_limit=_share_at_grid_limit(field, k) if whole else None,
        )
        for k, axis in enumerate(field.axes)
    )
    variables = tuple(_variable(field, c, noise[c], whole=whole) for c in range(len(field.names)))
    return Inspection(source=field.source, runs=field.n_runs, axes=(time, *space), variables=variables, problems=found)


def _variable(field: Field, channel: int, noise: float | None, *, whole: bool) -> VariableReport:
    values = field.values[:, :, channel]
    finite = values[np.isfinite(values)]
    return VariableReport(
        name=field.names[channel],
        minimum=float(finite.min(initial=np.inf)) if finite.size else 0.0,
        maximum=float(finite.max()) if finite.size else 0.0,
        std=float(finite.std()) if finite.size else 0.0,
        noise=noise,
        change_per_step=_change_per_step(values) if whole else None,
        holes=values.size - finite.size,
    )


def _change_per_step(values: Float64[np.ndarray, "run time *space"]) -> float | None:
    """Root mean square change from snapshot to snapshot, where both have values."""
    changes = np.diff(values, axis=1)
    seen = changes[np.isfinite(changes)]
    return float(np.sqrt(np.mean(seen**2))) if seen.size else None


def _share_at_grid_limit(field: Field, axis: int) -> float | None:
    """Variance above 2/3 of the highest wave number over all variance that varies along the axis; walls are
    mirrored, so that their ends are no jumps. Only lines without gaps count; None if there are none."""
    shares = []
    for channel in range(len(field.names)):
        along = np.moveaxis(field.values[:, :, channel], 2 + axis, -1)
        along = along[np.isfinite(along).all(axis=-1)]
        if not len(along):
            return None
        if field.boundary[axis] != "periodic":
            along = np.concatenate([along, along[..., ::-1]], axis=-1)
        energy = _energy(along)
        limit = int(np.ceil(GRID_LIMIT_BAND * (len(energy) - 1)))
        total = float(energy[1:].sum())
        shares.append(float(energy[limit:].sum()) / total if total > 0.0 else 0.0)
    return max(shares)


def _energy(along: Float64[np.ndarray, "*row point"]) -> Float64[np.ndarray, " wave_number"]:
    """Sum over all rows of |rfft|^2, each wave number counted with its negative twin."""
    n = along.shape[-1]
    spectrum = np.abs(np.fft.rfft(along, axis=-1)) ** 2
    energy = spectrum.reshape(-1, spectrum.shape[-1]).sum(axis=0)
    twins = np.full(len(energy), 2.0)
    twins[0] = 1.0
    if n % 2 == 0:
        twins[-1] = 1.0
    return energy * twins
