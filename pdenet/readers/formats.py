"""The registry of file types, and the opening of one file."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from zipfile import BadZipFile

from backbone.errors import InputError
from pdenet.readers.contents import Contents, inspect_command
from pdenet.readers.mat import read_mat
from pdenet.readers.npz import read_npz

# A new file type is one function and one row.
READERS: dict[str, Callable[[Path], Contents]] = {".npz": read_npz, ".mat": read_mat}


def open_file(path: Path) -> Contents:
    """Read the arrays of a file by the reader of its suffix; InputError if it is missing, damaged or unknown."""
    if not path.exists():
        raise _missing(path)
    reader = READERS.get(path.suffix.lower())
    readable = " ".join(suffix.removeprefix(".") for suffix in READERS)
    if path.is_dir() or reader is None:
        kind = "a folder" if path.is_dir() else f"of the type '{path.suffix}'" if path.suffix else "without a suffix"
        raise InputError(
            f"'{path}' is {kind}; readable: {readable}",
            where=str(path),
            cure="np.savez('data.npz', u=u, t=t, x=x, dims=['time', 'x'])",
        )
    # damaged, cut and encrypted files end in any of these
    try:
        return reader(path)
    except (OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, BadZipFile, zlib.error) as error:
        raise InputError(
            f"cannot read '{path.name}' as {path.suffix.removeprefix('.')}: {error}",
            where=str(path),
            cure="check that the file is whole and that its suffix tells its true type, or save it again",
        ) from error


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
