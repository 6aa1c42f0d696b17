"""PDEBench's HDF5 files: runs, times and space in the order run, time, x[, y[, z]][, component].

Three layouts are in use: `tensor`, or one data set per variable, beside `x-coordinate`, `t-coordinate`; one group per
seed with `data` and `grid/x`, `grid/t`; `velocity` and `particles` beside `t`, of one row per run. As PDEBench's own
generators write them (github.com/pdebench/PDEBench, pdebench/data_gen).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped

from backbone.errors import InputError
from pdenet.readers.contents import Contents, is_numeric
from pdenet.readers.stored import StoredArray, component, stack

SPACE = ("x", "y", "z")
NAMES = ("u", "v", "w")  # of the components of an array without names


def is_pdebench(file: Any) -> bool:
    """Whether the names in an open file are PDEBench's."""
    seeds = [group for group in file.values() if {"data", "grid"} <= set(group)] if _only_groups(file) else []
    return "x-coordinate" in file or {"velocity", "particles", "t"} <= set(file) or len(seeds) == len(file) > 0


def read_pdebench(file: Any, source: str) -> Contents:
    """The variables of an open file with their axes; InputError if its seeds do not share one grid."""
    if "x-coordinate" in file:
        return _by_variable(file, source)
    return _incompressible(file, source) if "velocity" in file else _by_seed(file, source)


def _only_groups(file: Any) -> bool:
    return all(file.get(name, getclass=True).__name__ == "Group" for name in file)


def _by_variable(file: Any, source: str) -> Contents:
    grid = {axis: np.asarray(file[f"{axis}-coordinate"][...]) for axis in SPACE if f"{axis}-coordinate" in file}
    entries = {name: entry for name, entry in file.items() if not name.endswith("-coordinate") and is_numeric(entry)}
    arrays: dict[str, StoredArray] = {n: entry for n, entry in entries.items() if entry.ndim == 2 + len(grid)}
    remarks = [f"{name} is left out: it has no axes for run, time and space" for name in entries if name not in arrays]
    coordinates = dict(grid)
    if "t-coordinate" in file:
        times = np.asarray(file["t-coordinate"][...])
        if any(array.shape[1] == len(times) - 1 for array in arrays.values()):
            times = times[:-1]
            remarks.append("t-coordinate has one time more than there are snapshots; its last one is left out")
        coordinates["time"] = times
    dims = dict.fromkeys(arrays, ("run", "time", *grid))
    return Contents(source, arrays, dims, coordinates, remarks=tuple(remarks))


def _by_seed(file: Any, source: str) -> Contents:
    names = sorted(file)
    first = file[names[0]]
    grid = _grid(first)
    space = [axis for axis in SPACE if axis in grid]
    for name in names[1:]:
        other = _grid(file[name])
        same = other.keys() == grid.keys() and all(np.array_equal(other[axis], grid[axis]) for axis in grid)
        if not same or file[name]["data"].shape != first["data"].shape:
            raise InputError(
                f"the seeds {names[0]} and {name} do not share one grid",
                where=source,
                cure="write the seeds of each grid to a file of their own, and name all files",
            )
    data = stack([file[name]["data"] for name in names])
    arrays = _components(data) if data.ndim == len(space) + 3 else {"data": data}
    dims = dict.fromkeys(arrays, ("run", "time", *space))
    return Contents(source, arrays, dims, {"time" if axis == "t" else axis: grid[axis] for axis in grid})


def _grid(seed: Any) -> Mapping[str, Shaped[np.ndarray, " point"]]:
    return {axis: np.asarray(points[...]) for axis, points in seed["grid"].items()}


def _components(data: StoredArray) -> dict[str, StoredArray]:
    """The last axis taken apart; its entries have no names in the file."""
    n = data.shape[-1]
    names = NAMES[:n] if n <= len(NAMES) else tuple(f"u{k}" for k in range(1, n + 1))
    return {name: component(data, (k,)) for k, name in enumerate(names)}


def _incompressible(file: Any, source: str) -> Contents:
    arrays: dict[str, StoredArray] = {}
    for name in ("velocity", "particles"):
        parts = file[name].shape[-1]
        letters = [f"_{axis}" for axis in SPACE[:parts]] if parts > 1 else [""]
        arrays |= {f"{name}{letter}": component(file[name], (k,)) for k, letter in enumerate(letters)}
    space = SPACE[: file["velocity"].ndim - 3]
    times = np.asarray(file["t"][...])
    if times.ndim == 2 and not (times == times[:1]).all():
        raise InputError("the runs have different times", where=f"{source}, t", cure="write each run to its own file")
    left = tuple(f"{name} is left out: it does not change in time" for name in ("force",) if name in file)
    coordinates = {"time": times[0] if times.ndim == 2 else times}
    return Contents(source, arrays, dict.fromkeys(arrays, ("run", "time", *space)), coordinates, remarks=left)
