"""MATLAB's .mat, version 5: its numeric arrays. MATLAB has no one-dimensional arrays, so 1 x n is a list."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backbone.errors import InputError
from pdenet.readers.contents import Contents, is_numeric

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
USER_BLOCK = 512  # MATLAB v7.3 is HDF5 behind a text header of this many bytes


def read_mat(path: Path) -> Contents:
    """Read every numeric array; structs, cells and text are passed over."""
    from scipy.io import loadmat

    with path.open("rb") as file:
        head = file.read(USER_BLOCK + len(HDF5_SIGNATURE))
    if HDF5_SIGNATURE in (head[: len(HDF5_SIGNATURE)], head[USER_BLOCK:]):
        raise InputError(
            "this is MATLAB v7.3, that is HDF5, which is not read yet",
            where=str(path),
            cure="save it in MATLAB with save('file.mat', '-v7')",
        )
    entries = {name: entry for name, entry in loadmat(path).items() if isinstance(entry, np.ndarray)}
    return Contents(str(path), {name: _list_if_flat(entry) for name, entry in entries.items() if is_numeric(entry)})


def _list_if_flat(array: np.ndarray) -> np.ndarray:
    return array.ravel() if array.ndim == 2 and 1 in array.shape else array
