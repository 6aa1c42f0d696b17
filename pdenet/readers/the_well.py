"""The Well's HDF5 files: scalar, vector and tensor fields of many runs, their grid and its boundaries.

The layout is that of the project's data format (github.com/PolymathicAI/the_well, docs/data_format.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Shaped

from backbone.errors import InputError
from pdenet.readers.contents import Contents
from pdenet.readers.dims import AXES
from pdenet.readers.stored import StoredArray, component

RANKS = {"t0_fields": 0, "t1_fields": 1, "t2_fields": 2}


def is_the_well(file: Any) -> bool:
    """Whether the groups of an open file are The Well's."""
    return "dimensions" in file and "t0_fields" in file


def read_the_well(file: Any, source: str) -> Contents:
    """The variables of an open file with their axes; vectors and tensors by component.

    Fields that do not change in time, between runs or along an axis are left out. Raises InputError for a grid that
    is not Cartesian and for runs with times of their own.
    """
    space = tuple(_text(word) for word in file["dimensions"].attrs["spatial_dims"])
    kind = _text(file.attrs.get("grid_type", "cartesian"))
    if kind != "cartesian" or not set(space) <= {"x", "y", "z"}:
        raise InputError(
            f"the grid is {kind} with the axes {', '.join(space)}; only Cartesian grids are read",
            where=source,
            cure="interpolate the data to a uniform Cartesian grid",
        )
    arrays: dict[str, StoredArray] = {}
    remarks = []
    for group, rank in RANKS.items():
        for name, entry in file[group].items() if group in file else ():
            if _varies(entry):
                arrays |= dict(_parts(name, entry, rank, space))
            else:
                remarks.append(f"{name} is left out: it is not given for every run, time and grid point")
    grid = {"time": _times(file["dimensions"]["time"], source)}
    grid |= {axis: np.asarray(file["dimensions"][axis][...]) for axis in space}
    sides = _boundary(file, space)
    return Contents(source, arrays, dict.fromkeys(arrays, ("run", "time", *space)), grid, sides, tuple(remarks))


def _text(word: Any) -> str:
    return word.decode() if isinstance(word, bytes) else str(word)


def _varies(entry: Any) -> bool:
    """Whether a field has the axes run and time and all of space."""
    flags = [entry.attrs.get(name, True) for name in ("sample_varying", "time_varying")]
    return all(flags) and bool(np.all(entry.attrs.get("dim_varying", True)))


def _parts(name: str, entry: Any, rank: int, space: Sequence[str]) -> Iterator[tuple[str, StoredArray]]:
    """A field and its name, or its components and theirs, such as velocity_x or stress_xy."""
    if rank == 0:
        yield name, entry
        return
    flat = entry.ndim == 3 + len(space)  # the components of a tensor in one axis, row by row
    for k, letters in enumerate(product(range(len(space)), repeat=rank)):
        place = (k,) if flat else letters
        yield f"{name}_{''.join(space[letter] for letter in letters)}", component(entry, place)


def _times(entry: Any, source: str) -> Shaped[np.ndarray, " time"]:
    times = np.asarray(entry[...])
    if times.ndim == 1:
        return times
    if not (times == times[:1]).all():
        raise InputError(
            "the runs have different times", where=f"{source}, dimensions/time", cure="write each run to its own file"
        )
    return times[0]


def _boundary(file: Any, space: Sequence[str]) -> tuple[str, ...]:
    """ "periodic" or "none" for each space axis in the order z, y, x; nothing if the file leaves one open."""
    kinds: dict[str, set[str]] = {axis: set() for axis in space}
    for condition in file["boundary_conditions"].values() if "boundary_conditions" in file else ():
        for axis in condition.attrs.get("associated_dims", ()):
            kinds.setdefault(_text(axis), set()).add(_text(condition.attrs["bc_type"]).lower())
    if not all(kinds[axis] for axis in space):
        return ()
    return tuple("periodic" if kinds[axis] == {"periodic"} else "none" for axis in AXES if axis in space)
