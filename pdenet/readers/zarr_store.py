"""zarr stores, versions 2 and 3: as xarray sees them where the axes have names, else array by array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backbone.errors import InputError
from pdenet.readers.contents import Contents, from_extra, is_numeric
from pdenet.readers.labelled import closing

METADATA = (".zarray", ".zgroup", "zarr.json")


def is_zarr(path: Path) -> bool:
    """Whether a folder holds a zarr store."""
    return any((path / name).is_file() for name in METADATA)


def read_zarr(path: Path) -> Contents:
    """The arrays of the store's first level; nothing is read from them yet.

    Raises InputError for a store that asks for the codec `pickle`, which can run code.
    """
    zarr = from_extra("zarr", "zarr", str(path))
    _demand_no_pickle(path)
    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        return Contents(str(path), {"u": opened})
    arrays = dict(zarr.open_group(path, mode="r", use_consolidated=False).arrays())
    if arrays and all(_has_names(array) for array in arrays.values()):
        xarray = from_extra("xarray", "zarr", str(path))
        return closing(xarray.open_zarr(path, consolidated=False, decode_times=False, chunks=None), str(path))
    return Contents(str(path), {name: array for name, array in arrays.items() if is_numeric(array)})


def _has_names(array: Any) -> bool:
    """Whether the axes have names, as xarray writes them into version 2 and version 3 knows them."""
    if array.metadata.zarr_format == 2:
        return "_ARRAY_DIMENSIONS" in array.attrs
    names = array.metadata.dimension_names
    return array.ndim == 0 or (names is not None and all(names))


def _demand_no_pickle(path: Path) -> None:
    for file in sorted(entry for name in METADATA for entry in path.rglob(name)):
        if "pickle" in file.read_text(encoding="utf-8"):
            raise InputError(
                "it is compressed with pickle, which can run code and is never loaded",
                where=str(file),
                cure="write the store again with another codec",
            )
