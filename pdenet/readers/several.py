"""Files on grids of their own: as few fields as they can stand in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pdenet.fields.field import Field
from pdenet.readers.contents import Note
from pdenet.readers.options import ReadOptions
from pdenet.readers.reader import OtherGrid, Source, as_runs, check_same_grid, read_with


def read_all(
    data: Source | Sequence[Source],
    options: ReadOptions,
    *,
    memory: str | None = None,
    note: Note = lambda text: None,
) -> tuple[Field, ...]:
    """Read files or data sets; in memory, those of the same grid, length and step in time are runs of one field.

    Raises what `read` raises, but not that grids differ.
    """
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
