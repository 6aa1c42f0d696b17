"""Files on grids of their own: as few fields as they can stand in."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from pdenet.fields.field import Field
from pdenet.readers.contents import Note
from pdenet.readers.coordinates import find_coordinates
from pdenet.readers.formats import open_file
from pdenet.readers.options import ReadOptions
from pdenet.readers.reader import OtherGrid, Source, as_runs, check_same_grid, read_with

WHOLE = (".npz", ".mat", ".h5", ".hdf5", ".nc")  # files that can hold a run with its times
STORES = (".zarr",)  # folders that are one file


def read_all(
    data: Source | Sequence[Source],
    options: ReadOptions,
    *,
    memory: str | None = None,
    note: Note = lambda text: None,
) -> tuple[Field, ...]:
    """Read files, data sets or folders of files that are runs.

    In memory, those of the same grid, length and step in time are runs of one field. Raises what `read` raises, but not
    that grids differ.
    """
    data = _files(data, note)
    try:
        return (read_with(data, options, memory=memory, note=note),)
    except OtherGrid as other:
        note(f"{other.what}: each grid by itself, one equation for all")
    groups: list[list[Field]] = []
    for one in data:
        field = read_with(one, options, memory=memory, note=note)
        group = next((group for group in groups if _is_same_grid(group[0], field)), None)
        if group is None:
            groups.append([field])
        else:
            group.append(field)
    return tuple(as_runs(group) for group in groups)


def _files(data: Source | Sequence[Source], note: Note) -> list[Source]:
    """What to read one by one: a folder of whole runs, each with its times, is its files."""
    files: list[Source] = []
    for one in data if isinstance(data, list | tuple) else [data]:
        runs = _runs(Path(one)) if isinstance(one, str | PathLike) else []
        if runs:
            note(f"{one} holds {len(runs)} files with times of their own: every one is a run")
        files += runs or [one]
    return files


def _runs(folder: Path) -> list[Path]:
    """The files of a folder if each of them has times; none of a folder of snapshots, or of anything else."""
    inside = sorted(folder.iterdir()) if folder.is_dir() and folder.suffix not in STORES else []
    if len(inside) < 2 or any(path.suffix.lower() not in WHOLE for path in inside):
        return []
    return inside if all(map(_has_times, inside)) else []


def _has_times(path: Path) -> bool:
    contents = open_file(path)
    try:
        return len(find_coordinates(contents).get("time", ())) > 1
    finally:
        contents.close()


def shapes_by_file(files: Sequence[Path], grids: Sequence[Field]) -> dict[Path, tuple[int, ...]]:
    """The shape of the array that each file went into."""
    shapes = {source: field.values.shape for field in grids for source in field.source.split(", ")}
    return {path: shapes.get(str(path), grids[0].values.shape) for path in files}


def _is_same_grid(first: Field, other: Field) -> bool:
    try:
        check_same_grid(first, other)
    except OtherGrid:
        return False
    in_memory = isinstance(first.values, np.ndarray) and isinstance(other.values, np.ndarray)
    return in_memory and first.boundary == other.boundary
