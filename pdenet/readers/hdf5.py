"""HDF5: the layouts of NetCDF, PDEBench and The Well by their own readers, any other file by its data sets' names."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pdenet.readers.contents import Contents, from_extra, is_numeric
from pdenet.readers.coordinates import STEP_NAMES
from pdenet.readers.dims import axis_named
from pdenet.readers.netcdf import read_netcdf
from pdenet.readers.pdebench import is_pdebench, read_pdebench
from pdenet.readers.stored import StoredArray, complex_records
from pdenet.readers.the_well import is_the_well, read_the_well


def read_hdf5(path: Path) -> Contents:
    """The arrays of a file in the layout that its names and attributes tell; nothing is read from them yet."""
    h5py = from_extra("h5py", "HDF5", str(path))
    file = h5py.File(path, "r")
    if "_NCProperties" in file.attrs:
        file.close()
        return read_netcdf(path)
    reader = read_the_well if is_the_well(file) else read_pdebench if is_pdebench(file) else read_plain
    try:
        return replace(reader(file, str(path)), close=file.close)
    except BaseException:
        file.close()
        raise


def read_plain(file: Any, source: str) -> Contents:
    """Every numeric data set, in whatever group.

    A data set is called by the last part of its path, by the whole of it where two share that part. Its axes are
    called by their labels or dimension scales. Attributes dt, dx, dy, dz of the file count as its steps.
    """
    found: dict[str, Any] = {}

    def collect(name: str, entry: Any) -> None:
        if _is_numbers(entry):
            found[name] = entry

    file.visititems(collect)
    times = Counter(name.rpartition("/")[2] for name in found)
    sets = {last if times[last := name.rpartition("/")[2]] == 1 else name: entry for name, entry in found.items()}
    scales = {axis: scale for entry in sets.values() for axis, scale in _scales(entry).items()}
    return Contents(
        source,
        arrays={name: _as_array(entry) for name, entry in sets.items()} | _steps(file),
        dims={name: words for name, entry in sets.items() if any(words := _words(entry))},
        coordinates={axis: np.asarray(scale[...]) for axis, scale in scales.items()},
    )


def _is_numbers(entry: Any) -> bool:
    """Whether an entry of a file is an array of numbers; groups have no shape, empty data sets none that is known."""
    has_shape = getattr(entry, "shape", None) is not None
    return has_shape and (is_numeric(entry) or entry.dtype.names == ("real", "imag"))


def _as_array(entry: Any) -> StoredArray:
    return complex_records(entry, "real", "imag") if entry.dtype.names else entry


def _words(entry: Any) -> tuple[str, ...]:
    """The name of each axis: its label, else its dimension scale's, else none."""
    return tuple(dim.label or (dim[0].name.rpartition("/")[2] if len(dim) else "") for dim in entry.dims)


def _scales(entry: Any) -> dict[str, Any]:
    """The dimension scales of the axes whose names are known here."""
    named = zip(_words(entry), entry.dims, strict=True)
    return {axis: dim[0] for word, dim in named if (axis := axis_named(word)) and len(dim) and is_numeric(dim[0])}


def _steps(file: Any) -> dict[str, np.ndarray]:
    numbers = {name: np.asarray(file.attrs[name]) for name in STEP_NAMES.values() if name in file.attrs}
    return {name: number for name, number in numbers.items() if number.size == 1 and is_numeric(number)}
