"""A field into a file of the type that its name tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pdenet.fields.field import Field
from pdenet.writers.netcdf import write_netcdf
from pdenet.writers.npz import write_npz

WRITERS: Mapping[str, Callable[..., bytes]] = {".npz": write_npz, ".nc": write_netcdf}


def write_field(field: Field, path: Path, *, recipe: Mapping[str, str], overwrite: bool = False) -> bytes:
    """Write a field as .npz or .nc and give the bytes written; recipe: how it was made, one line a name.

    Raises UsageError and OutputError as `check_output`, which the caller has asked before the work.
    """
    return WRITERS[path.suffix](field, path, recipe=recipe, overwrite=overwrite)
