"""Long tables: one row a point, with columns t, x[, y[, z]], [run] and the variables, put onto the grid they span."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from backbone.errors import InputError
from pdenet.readers.contents import Contents
from pdenet.readers.dims import AXES
from pdenet.readers.text import parse_text

COLUMNS = {"run": ("run", "Run"), "time": ("t", "time", "Time", "T"), "z": ("z", "Z"), "y": ("y", "Y"), "x": ("x", "X")}
SAME_POINT = 1e-6  # coordinates closer than this share of the mean step are one: decimals are cut differently
FULLEST_CLOUD = 0.5  # points that fill less than this share of the grid they span were not taken on a grid


def read_table(path: Path) -> Contents:
    """The variables on the grid that the coordinate columns span; points without a row are NaN.

    A file without a header is one matrix, called u. Raises InputError for a table without a column of time or space,
    with two rows for one point, or whose points lie on no grid.
    """
    text = parse_text(path)
    if not text.names:
        return Contents(str(path), {"u": text.numbers})
    return from_columns(dict(zip(text.names, text.numbers.T, strict=True)), ("time", "x"), str(path))


def from_columns(
    columns: Mapping[str, Float64[np.ndarray, " row"]], demanded: tuple[str, ...], source: str
) -> Contents:
    """The grid of a table by its columns; `demanded` are the axes it must have."""
    named = {axis: next((word for word in COLUMNS[axis] if word in columns), None) for axis in AXES}
    axes = {axis: columns[word] for axis, word in named.items() if word is not None}
    for axis in demanded:
        if axis not in axes:
            raise InputError(
                f"the table has no column {COLUMNS[axis][0]}; its columns are {', '.join(columns)}",
                where=source,
                cure="name the columns t, x and, where there are such, y, z, run, beside the variables",
            )
    levels, place = _grid(axes, source)
    shape = tuple(len(points) for points in levels.values())
    arrays = {}
    for name, values in columns.items():
        if name not in named.values():
            arrays[name] = np.full(shape, np.nan)
            arrays[name].flat[place] = values
    coordinates = {axis: points for axis, points in levels.items() if axis != "run"}
    return Contents(source, arrays, dict.fromkeys(arrays, tuple(levels)), coordinates)


def _grid(
    axes: Mapping[str, Float64[np.ndarray, " row"]], source: str
) -> tuple[dict[str, Float64[np.ndarray, " point"]], Int64[np.ndarray, " row"]]:
    """The points of each axis, and where each row stands on the grid that they span."""
    levels, places = {}, []
    for axis, column in axes.items():
        if not np.isfinite(column).all():
            row = int(np.argmin(np.isfinite(column)))
            raise InputError(
                f"the column {COLUMNS[axis][0]} has no number in row {row + 1} of the table",
                where=source,
                cure="fill it in, or leave the row out",
            )
        levels[axis] = _levels(column)
        places.append(np.searchsorted((levels[axis][1:] + levels[axis][:-1]) / 2, column))
    shape = tuple(len(points) for points in levels.values())
    n_rows, n_points = len(places[0]), int(np.prod(shape, dtype=float))
    if n_rows < FULLEST_CLOUD * n_points:
        counts = ", ".join(f"{n} different {COLUMNS[axis][0]}" for axis, n in zip(levels, shape, strict=True))
        raise InputError(
            f"the points lie on no grid: {n_rows} rows have {counts}",
            where=source,
            cure="interpolate the points to a uniform grid (scipy.interpolate.griddata) and save that",
        )
    place = np.ravel_multi_index(tuple(places), shape)
    taken = np.bincount(place, minlength=n_points)
    if taken.max() > 1:
        twice = np.unravel_index(int(np.argmax(taken)), shape)
        where = ", ".join(f"{COLUMNS[axis][0]}={levels[axis][k]:g}" for axis, k in zip(levels, twice, strict=True))
        raise InputError(
            f"{taken.max()} rows stand for one point, {where}",
            where=source,
            cure="leave one of them, or tell runs apart by a column run",
        )
    return levels, place


def _levels(column: Float64[np.ndarray, " row"]) -> Float64[np.ndarray, " point"]:
    """The different numbers of a column, those that only rounding tells apart taken for one."""
    points = np.unique(column)
    step = (points[-1] - points[0]) / max(len(points) - 1, 1)
    return points[np.append(True, np.diff(points) > SAME_POINT * step)]
