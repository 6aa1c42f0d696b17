"""A folder with one file a snapshot: arrays, tables, matrices or grey pictures, in the order of the number in the name.

`u_0.00.npy u_0.05.npy ...` states times, `frame_001.png frame_002.png ...` counts; the name before the number tells
variables apart. Files called t, x, y or z hold coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Shaped

from backbone.errors import InputError
from pdenet.readers.contents import Contents
from pdenet.readers.npy import load_npy
from pdenet.readers.npz import read_npz
from pdenet.readers.pictures import PICTURES, read_picture
from pdenet.readers.stored import StoredArray, stack
from pdenet.readers.table import from_columns
from pdenet.readers.text import parse_text

TEXTS = (".csv", ".tsv", ".txt", ".dat")
SUFFIXES = (".npy", ".npz", *TEXTS, *PICTURES)
COORDINATES = {"t": "time", "time": "time", "times": "time", "x": "x", "y": "y", "z": "z"}
# the number that ends a name; it is a time if it has decimals or follows the word t or time
NUMBERED = re.compile(r"(.*?)(?:(?<![A-Za-z])(t|time)[=_ -]?)?(\d+(\.\d+)?(?:[eE][+-]?\d+)?)")
COUNTERS = {"", "snapshot", "snap", "frame", "step", "out", "output", "field", "data", "image", "img"}


@dataclass(frozen=True)
class Snapshot:
    """One file: its arrays by name ("" if the file names none), their axes beside time, and coordinates."""

    path: Path
    arrays: Mapping[str, StoredArray]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coordinates: Mapping[str, Shaped[np.ndarray, " point"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """The files of one name, in the order of their numbers."""

    name: str
    files: tuple[Path, ...]
    numbers: tuple[float, ...]
    are_times: bool


def read_snapshots(path: Path) -> Contents:
    """Every variable with time as its first axis.

    The other axes are those of the table or of `dims` in the file; a single one is x, the rows of a picture are y.
    Raises InputError for files of several types, variables with other numbers, a gap in the numbers, or snapshots of
    different shapes.
    """
    files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in SUFFIXES and file.is_file()]
    points = {COORDINATES[file.stem]: _numbers(file) for file in files if file.stem in COORDINATES}
    series = _series([file for file in files if file.stem not in COORDINATES], path)
    arrays: dict[str, StoredArray] = {}
    dims: dict[str, tuple[str, ...]] = {}
    for one in series:
        snapshots = [read_snapshot(file) for file in one.files]
        _demand_equal(snapshots)
        first = snapshots[0]
        for key, array in first.arrays.items():
            name = key or _variable(one.name)
            if name in arrays:
                raise InputError(f"{name} is in the files of several names", where=str(path), cure="leave one series")
            arrays[name] = stack([snapshot.arrays[key] for snapshot in snapshots])
            dims[name] = ("time", *first.dims.get(key, ("x",) if array.ndim == 1 else ("",) * array.ndim))
        points = {**first.coordinates, **points}
    first_series = series[0]
    if first_series.are_times and "time" not in points:
        points["time"] = np.array(first_series.numbers)
    remarks = (
        f"{len(first_series.files)} snapshots from {first_series.files[0].name} to {first_series.files[-1].name}",
    )
    return Contents(str(path), arrays, dims, points, remarks=remarks)


def read_snapshot(file: Path) -> Snapshot:
    """The arrays of one file."""
    suffix = file.suffix.lower()
    if suffix == ".npy":
        return Snapshot(file, {"": load_npy(file)})
    if suffix in PICTURES:
        return Snapshot(file, {"": read_picture(file)}, {"": ("y", "x")})
    if suffix in TEXTS:
        text = parse_text(file)
        if not text.names:
            flat = 1 in text.numbers.shape
            return Snapshot(file, {"": text.numbers.ravel() if flat else text.numbers})
        contents = from_columns(dict(zip(text.names, text.numbers.T, strict=True)), ("x",), str(file))
    else:
        contents = read_npz(file)
    points = {axis: np.asarray(contents.arrays[axis][...]) for axis in "xyz" if axis in contents.arrays}
    arrays = {name: array for name, array in contents.arrays.items() if array.ndim > 0 and name not in points}
    return Snapshot(file, arrays, contents.dims, {**contents.coordinates, **points})


def _numbers(file: Path) -> Float64[np.ndarray, " point"]:
    """The numbers of a file that holds a coordinate."""
    array = load_npy(file)[...] if file.suffix.lower() == ".npy" else parse_text(file).numbers
    return np.asarray(array, dtype=np.float64).ravel()


def _series(files: list[Path], folder: Path) -> list[Series]:
    """The files by the name before their number; InputError unless they go together."""
    matches = {file: match for file in files if (match := NUMBERED.fullmatch(file.stem))}
    suffixes = sorted({file.suffix.lower() for file in matches})
    if len(suffixes) != 1:
        held = f"snapshots of several types ({', '.join(suffixes)})" if suffixes else "no snapshots"
        raise InputError(
            f"the folder holds {held}",
            where=str(folder),
            cure="name the files after their times, as u_0.00.npy u_0.05.npy, all of one type",
        )
    names = sorted({match[1] for match in matches.values()})
    series = [_one_series(name, {file: match for file, match in matches.items() if match[1] == name}) for name in names]
    for other in series[1:]:
        if other.numbers != series[0].numbers:
            odd = min(set(other.numbers) ^ set(series[0].numbers))
            raise InputError(
                f"{series[0].name}... and {other.name}... have different snapshots: {odd:g} is in one of them only",
                where=str(folder),
                cure="keep the snapshots that every variable has",
            )
    return series


def _one_series(name: str, matches: Mapping[Path, re.Match[str]]) -> Series:
    order = sorted(matches, key=lambda file: float(matches[file][3]))
    numbers = tuple(float(matches[file][3]) for file in order)
    are_times = all(match[2] or match[4] for match in matches.values())
    gaps = np.diff(numbers)
    if not are_times and len(gaps) and not (gaps == gaps[0]).all():
        k = int(np.argmax(gaps != np.median(gaps)))
        raise InputError(
            f"the snapshots are not evenly numbered: {order[k].name} is followed by {order[k + 1].name}",
            where=str(order[k].parent),
            cure="add the missing snapshots, or keep a stretch that is evenly numbered",
        )
    return Series(name, tuple(order), numbers, are_times)


def _variable(name: str) -> str:
    """What the name before the number calls a variable."""
    word = name.strip("_-. =")
    return "u" if word.lower() in COUNTERS else word


def _demand_equal(snapshots: list[Snapshot]) -> None:
    first = snapshots[0]
    shapes = {key: tuple(array.shape) for key, array in first.arrays.items()}
    for other in snapshots[1:]:
        theirs = {key: tuple(array.shape) for key, array in other.arrays.items()}
        if theirs != shapes:
            raise InputError(
                f"the snapshots differ: {first.path.name} holds {_told(shapes)}, {other.path.name} {_told(theirs)}",
                where=str(other.path),
                cure="save every snapshot on the same grid, with the same variables",
            )
        for axis, points in first.coordinates.items():
            if not np.array_equal(points, other.coordinates.get(axis, points[:0])):
                raise InputError(
                    f"the coordinate {axis} of {other.path.name} is not that of {first.path.name}",
                    where=str(other.path),
                    cure="save every snapshot on the same grid",
                )


def _told(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{key} {'x'.join(map(str, shape))}".strip() for key, shape in shapes.items())
