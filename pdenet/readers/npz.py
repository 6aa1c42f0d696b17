"""NumPy's .npz: arrays by name, and optional entries `dims` and `boundary` that name the axes and their ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backbone.errors import InputError
from pdenet.readers.contents import Contents, is_dates, is_numeric


def read_npz(path: Path) -> Contents:
    """Read every numeric array; InputError on pickled objects, which are never loaded."""
    with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
        arrays = {name: _entry(archive, name, path) for name in archive.files}
    stated = _words(arrays.get("dims"))
    numeric = {name: array for name, array in arrays.items() if is_numeric(array) or is_dates(array)}
    return Contents(
        source=str(path),
        arrays=numeric,
        dims={name: stated for name, array in numeric.items() if array.ndim > 1 and stated},
        boundary=_words(arrays.get("boundary")),
    )


def _entry(archive: np.lib.npyio.NpzFile, name: str, path: Path) -> np.ndarray:
    try:
        return archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise InputError(
            f"'{name}' is stored as pickled Python objects, which can run code and are never loaded",
            where=f"{path}, {name}",
            cure=f"save it as numbers: np.savez(file, {name}=np.asarray({name}, dtype=float))",
        ) from error


def _words(entry: np.ndarray | None) -> tuple[str, ...]:
    """("run", "time", "x") from an array of words or from one text `run,time,x`; nothing from nothing or numbers."""
    if entry is None or is_numeric(entry):
        return ()
    return tuple(word.strip() for text in np.atleast_1d(entry).tolist() for word in str(text).split(","))
