"""The coordinates of a file: which arrays they are, and the uniform step of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Shaped

from backbone.errors import InputError
from pdenet.readers.contents import Contents, Note, inspect_command, load
from pdenet.readers.dates import are_dates, no_unit, seconds_since_first
from pdenet.readers.stored import StoredArray

COORDINATE_NAMES = {"time": ("t", "time", "tt"), "z": ("z", "zz"), "y": ("y", "yy"), "x": ("x", "xx")}
STEP_NAMES = {"time": "dt", "z": "dz", "y": "dy", "x": "dx"}
# Coordinates may be off the uniform grid by this share of a step: decimals cut in text files do that.
LARGEST_DEVIATION = 1e-3


def is_mesh(name: str, stored: StoredArray, source: str) -> bool:
    """Whether an array repeats a coordinate at every grid point, as `meshgrid` gives: a coordinate's name, and values
    that vary along one axis only."""
    if name.lower() not in {spelling for spellings in COORDINATE_NAMES.values() for spelling in spellings}:
        return False
    array = load(stored, name, source)
    first = (slice(0, 1),) * array.ndim
    lines = (array[(*first[:k], slice(None), *first[k + 1 :])] for k in range(array.ndim))
    return any(bool((array == line).all()) for line in lines)


def find_coordinates(contents: Contents) -> dict[str, Shaped[np.ndarray, " point"]]:
    """The coordinate arrays of a file, by axis name: those its format tells, else lists of a coordinate's name.

    `X` counts as `x` if there is no `x`.
    """
    lists = {name.lower(): name for name in sorted(contents.arrays) if _is_list(contents.arrays[name])}
    found = {
        axis: next((lists[spelling] for spelling in spellings if spelling in lists), None)
        for axis, spellings in COORDINATE_NAMES.items()
        if axis not in contents.coordinates
    }
    loaded = {
        axis: load(contents.arrays[name], name, contents.source) for axis, name in found.items() if name is not None
    }
    return {**loaded, **contents.coordinates}


def _is_list(array: StoredArray) -> bool:
    return array.ndim == 1 and array.shape[0] > 1


def runs_backwards(points: Shaped[np.ndarray, " point"] | None) -> bool:
    """Whether a coordinate falls from point to point."""
    return points is not None and points.dtype.kind in "iuf" and len(points) > 1 and bool((np.diff(points) < 0).all())


def uniform_step(axis: str, points: Shaped[np.ndarray, " point"], source: str) -> tuple[float, float]:
    """First point and step of a uniform coordinate; InputError with the worst place if it is not uniform."""
    where = f"{source}, coordinate {axis}"
    exact = np.asarray(points, dtype=np.float64)
    if not np.isfinite(exact).all():
        raise InputError(
            f"the coordinate {axis} has NaN or Inf at entry {int(np.argmin(np.isfinite(exact)))}",
            where=where,
            cure=f"save {axis} with one number per grid point",
        )
    n = len(exact)
    step = (exact[-1] - exact[0]) / (n - 1)
    rounding = 2 * np.finfo(points.dtype).eps * np.abs(exact).max() if points.dtype.kind == "f" else 0.0
    deviation = np.abs(exact - (exact[0] + step * np.arange(n)))
    if step == 0.0 or deviation.max() > max(LARGEST_DEVIATION * abs(step), rounding):
        gaps = np.diff(exact)
        usual = float(np.median(gaps))
        k = int(np.argmax(np.abs(gaps - usual)))
        raise InputError(
            f"the coordinate {axis} is not uniform: it steps by {gaps[k]:.6g} from {axis}={exact[k]:.6g} "
            f"(entry {k}), and by {usual:.6g} elsewhere",
            where=where,
            cure=f"interpolate the data to a uniform {axis}, or keep a stretch of it that is uniform",
        )
    if step < 0.0:
        raise InputError(
            f"the coordinate {axis} runs backwards, from {exact[0]:.6g} to {exact[-1]:.6g}",
            where=where,
            cure=f"flip the data and {axis} along this axis: np.flip(u, axis), np.flip({axis})",
        )
    return float(exact[0]), float(step)


def axis_steps(
    contents: Contents,
    coordinates: Mapping[str, Shaped[np.ndarray, " point"]],
    axes: tuple[str, ...],
    given: Mapping[str, float],
    note: Note,
) -> dict[str, tuple[float, float]]:
    """First point and step of each axis: the step given, else that of its coordinate, else a number dt, dx, dy or dz
    in the file; InputError if there is none of them. A given step that differs from the coordinate's is told."""
    steps = {}
    for axis in axes:
        start, step = 0.0, _stored_step(contents, axis)
        if axis in coordinates and len(coordinates[axis]) > 1:
            start, step = _coordinate_step(axis, coordinates[axis], contents.source, is_told=axis in given)
        if axis in given and step is not None and not np.isclose(given[axis], step, rtol=LARGEST_DEVIATION):
            note(f"the step of {axis} is {given[axis]:g} as told, though the file says {step:g}")
        step = given.get(axis, step)
        if step is None:
            option = "--dt" if axis == "time" else "--dx"
            raise InputError(
                f"the file has no coordinate {axis}, so the step along {axis} is unknown",
                where=contents.source,
                cure=f"{inspect_command(contents.source, option, '0.1')} (with the true step for 0.1)",
            )
        steps[axis] = (start, step)
    return steps


def _coordinate_step(
    axis: str, points: Shaped[np.ndarray, " point"], source: str, *, is_told: bool
) -> tuple[float, float | None]:
    """First point and step of a coordinate; no step for dates, which have no unit until it is told."""
    if not are_dates(points):
        return uniform_step(axis, points, source)
    _, step = uniform_step(axis, seconds_since_first(points), source)
    if not is_told:
        raise no_unit(axis, step, source)
    return 0.0, None


def _stored_step(contents: Contents, axis: str) -> float | None:
    name = STEP_NAMES[axis]
    number = load(contents.arrays[name], name, contents.source) if name in contents.arrays else np.zeros(0)
    return float(number.real.item()) if number.size == 1 else None
