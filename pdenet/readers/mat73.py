"""MATLAB's .mat, version 7.3: HDF5 whose arrays stand with their axes in reversed order.

MATLAB counts axes by columns, HDF5 by rows, so `u(x, t)` is written as a data set of shape (t, x).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pdenet.readers.contents import Contents, from_extra, is_numeric
from pdenet.readers.stored import StoredArray, complex_records, reverse_axes

NUMERIC = {"double", "single", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}


def read_mat73(path: Path) -> Contents:
    """The numeric arrays in the order of axes that MATLAB shows; structs, cells, text and truth values are passed over.

    MATLAB has no one-dimensional arrays, so 1 x n and n x 1 are given as lists.
    """
    h5py = from_extra("h5py", "MATLAB v7.3", str(path))
    file = h5py.File(path, "r")
    sets = {name: entry for name, entry in file.items() if isinstance(entry, h5py.Dataset) and _is_numbers(entry)}
    arrays = {name: _as_in_matlab(entry) for name, entry in sets.items()}
    return Contents(str(path), arrays, close=file.close)


def _is_numbers(entry: Any) -> bool:
    """Whether MATLAB says that the data set is a full array of numbers; empty arrays are kept as their size."""
    kind = entry.attrs.get("MATLAB_class", b"double")
    word = kind.decode("ascii", "replace") if isinstance(kind, bytes) else str(kind)
    complex_pair = entry.dtype.names == ("real", "imag")
    empty = bool(entry.attrs.get("MATLAB_empty", 0)) or entry.shape is None
    return word in NUMERIC and not empty and (complex_pair or is_numeric(entry))


def _as_in_matlab(entry: Any) -> StoredArray:
    array: StoredArray = complex_records(entry, "real", "imag") if entry.dtype.names else entry
    if array.ndim == 2 and 1 in array.shape:
        return np.asarray(array[...]).ravel()
    return reverse_axes(array)
