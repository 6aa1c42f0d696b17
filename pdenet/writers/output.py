"""May this file be written? Asked before any work."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from backbone.errors import OutputError, UsageError

SUFFIXES = (".npz", ".nc")


def check_output(path: Path, *, overwrite: bool) -> None:
    """Refuse an output before any work: UsageError for a type that is not written here, OutputError if it exists
    (unless `overwrite`) or its folder cannot be written."""
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"'{path.name}' is neither an .npz nor an .nc file", where="--out", cure=f"-o {path.with_suffix('.npz')}"
        )
    if path.suffix == ".nc" and not (find_spec("xarray") and find_spec("h5netcdf")):
        raise UsageError(
            "NetCDF needs the extra 'io'",
            where=f"--out {path}",
            cure=f"pip install 'pdenet-durr[io]', or -o {path.with_suffix('.npz')}",
        )
    if path.is_dir() or (path.exists() and not overwrite):
        raise OutputError(f"{path} exists", where="--out", cure="add --overwrite, or name another file")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"there is no folder {path.parent}", where="--out", cure=f"mkdir -p '{path.parent}'")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path.parent} cannot be written", where="--out", cure="name a file in another folder")
