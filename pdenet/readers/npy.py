"""NumPy's .npy: one array without names, so the axes and steps are the user's to say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backbone.errors import InputError
from pdenet.readers.contents import Contents, is_numeric


def read_npy(path: Path) -> Contents:
    """Map the array into memory; it is called u. InputError on pickled objects, which are never loaded."""
    array = load_npy(path)
    return Contents(str(path), {"u": array} if is_numeric(array) else {})


def load_npy(path: Path) -> np.ndarray:
    """The array of a file, its numbers read when they are used."""
    try:
        return np.lib.format.open_memmap(path, mode="r")
    except ValueError as error:
        if "objects" not in str(error):
            raise
        raise InputError(
            "it holds pickled Python objects, which can run code and are never loaded",
            where=str(path),
            cure="save it as numbers: np.save(file, np.asarray(u, dtype=float))",
        ) from error
