"""The registry of file types, and the opening of one file."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from zipfile import BadZipFile

from backbone.errors import InputError
from pdenet.readers.contents import DAMAGE, Contents, inspect_command
from pdenet.readers.hdf5 import read_hdf5
from pdenet.readers.mat import read_mat
from pdenet.readers.netcdf import read_netcdf
from pdenet.readers.npy import read_npy
from pdenet.readers.npz import read_npz
from pdenet.readers.snapshots import read_snapshots
from pdenet.readers.table import read_table
from pdenet.readers.zarr_store import is_zarr, read_zarr

# A new file type is one function and one row.
READERS: dict[str, Callable[[Path], Contents]] = {
    ".npz": read_npz,
    ".npy": read_npy,
    ".mat": read_mat,
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), read_hdf5),
    **dict.fromkeys((".nc", ".nc4", ".cdf"), read_netcdf),
    ".zarr": read_zarr,
    **dict.fromkeys((".csv", ".tsv", ".txt", ".dat"), read_table),
}
# types of meshes, which are told what to do
MESHES = {".foam": "OpenFOAM", **dict.fromkeys((".vtk", ".vtu", ".vti", ".vtp", ".pvd"), "VTK")}


def open_file(path: Path) -> Contents:
    """Read the arrays of a file by the reader of its suffix, of a folder as a zarr store or as one file a snapshot.

    Raises InputError if it is missing, damaged or unknown.
    """
    if not path.exists():
        raise _missing(path)
    suffix = path.suffix.lower()
    reader = READERS.get(suffix)
    kind = suffix.removeprefix(".")
    if path.is_dir():
        reader, kind = (read_zarr, "zarr") if is_zarr(path) else (read_snapshots, "a folder of snapshots")
    if reader is None:
        raise _unknown(path)
    try:
        return reader(path)
    except (*DAMAGE, BadZipFile, zlib.error) as error:
        raise InputError(
            f"cannot read '{path.name}' as {kind}: {error}",
            where=str(path),
            cure="check that the file is whole and that its suffix tells its true type, or save it again",
        ) from error


def _unknown(path: Path) -> InputError:
    first = {reader: suffix.removeprefix(".") for suffix, reader in reversed(READERS.items())}
    readable = f"readable: {' '.join(reversed(first.values()))}, and folders with one file a snapshot"
    if path.suffix.lower() in MESHES:
        return InputError(
            f"'{path}' is {MESHES[path.suffix.lower()]}, values on a mesh; {readable}",
            where=str(path),
            cure="sample it on a uniform grid (in ParaView: Resample To Image) and save that as .npz",
        )
    return InputError(
        f"'{path}' is {f'of the type {path.suffix}' if path.suffix else 'without a suffix'}; {readable}",
        where=str(path),
        cure="np.savez('data.npz', u=u, t=t, x=x, dims=['time', 'x'])",
    )


def _missing(path: Path) -> InputError:
    folder = path.parent
    if not folder.is_dir():
        return InputError(f"cannot find the folder '{folder}'", where=str(path), cure="check the path")
    beside = sorted(entry.name for entry in folder.iterdir() if entry.suffix.lower() in READERS)
    near = get_close_matches(path.name, beside, n=1, cutoff=0.5)
    listing = ", ".join(beside[:8]) + (", ..." if len(beside) > 8 else "")
    return InputError(
        f"cannot find '{path.name}'. In this folder: {listing or 'no data files'}."
        + (f" Did you mean {near[0]}?" if near else ""),
        where=str(path),
        cure=inspect_command(str(folder / near[0])) if near else "check the path",
    )
