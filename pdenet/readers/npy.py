"""NumPy's .npy: one array without names, so the axes and steps are the user's to say."""

from __future__ import annotations

from pathlib import Path

from backbone.errors import InputError
from pdenet.readers.contents import Contents, is_numeric
from pdenet.readers.mapped import map_npy
from pdenet.readers.stored import View


def read_npy(path: Path) -> Contents:
    """The array, called u; its numbers are read when they are used. InputError on pickled objects, which never are."""
    array = load_npy(path)
    return Contents(str(path), {"u": array} if is_numeric(array) else {})


def load_npy(path: Path) -> View:
    """The array of a file, its numbers read when they are used."""
    try:
        return map_npy(path)
    except ValueError as error:
        if "bject" not in str(error):
            raise
        raise InputError(
            "it holds pickled Python objects, which can run code and are never loaded",
            where=str(path),
            cure="save it as numbers: np.save(file, np.asarray(u, dtype=float))",
        ) from error
