"""NumPy's .npz: one array per variable, the coordinates, and `dims` with the names of the axes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from backbone.atomic import write_atomic
from pdenet.fields.field import Field
from pdenet.writers.output import check_output


def write_npz(field: Field, path: Path, *, recipe: Mapping[str, str], overwrite: bool = False) -> bytes:
    """Write a field and give the bytes written; equal fields give equal bytes.

    Entries: every variable with the axes of `dims`, (run, time, [z,] [y,] x); t; each space axis; dims; boundary, one
    word per space axis; recipe, how the data were made, as "name = text" lines. Raises OutputError as `check_output`.
    """
    check_output(path, overwrite=overwrite)
    entries: dict[str, np.ndarray] = {name: field.values[:, :, k] for k, name in enumerate(field.names)}
    entries |= {"t": field.times(), **field.coordinates()}
    entries["dims"] = np.array(["run", "time", *field.axes])
    entries["boundary"] = np.array(field.boundary)
    entries["recipe"] = np.array([f"{name} = {text}" for name, text in recipe.items()])
    memory = io.BytesIO()
    np.savez(memory, allow_pickle=False, **entries)
    content = memory.getvalue()
    write_atomic(path, content)
    return content
