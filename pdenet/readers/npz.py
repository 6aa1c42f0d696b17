"""NumPy's .npz: arrays by name, and optional entries `dims` and `boundary` that name the axes and their ends."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_STORED

import numpy as np

from backbone.errors import InputError
from pdenet.readers.contents import Contents, is_dates, is_numeric
from pdenet.readers.mapped import map_member
from pdenet.readers.stored import StoredArray

LARGE = 2**26  # bytes; the checksums of smaller arrays are verified, since they are read as a whole


def read_npz(path: Path) -> Contents:
    """Every numeric array; large ones that are not compressed are read when they are used, and where they lie.

    InputError on pickled objects, which are never loaded.
    """
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


def _entry(archive: np.lib.npyio.NpzFile, name: str, path: Path) -> StoredArray:
    member = archive.zip.getinfo(f"{name}.npy" if f"{name}.npy" in archive.zip.namelist() else name)
    try:
        if member.compress_type == ZIP_STORED and member.file_size > LARGE:
            return map_member(path, member)
        return archive[name]
    except ValueError as error:
        if "bject" not in str(error):
            raise
        raise InputError(
            f"'{name}' is stored as pickled Python objects, which can run code and are never loaded",
            where=f"{path}, {name}",
            cure=f"save it as numbers: np.savez(file, {name}=np.asarray({name}, dtype=float))",
        ) from error


def _words(entry: StoredArray | None) -> tuple[str, ...]:
    """("run", "time", "x") from an array of words or from one text `run,time,x`; nothing from nothing or numbers."""
    if entry is None or is_numeric(entry):
        return ()
    return tuple(word.strip() for text in np.atleast_1d(entry).tolist() for word in str(text).split(","))
