"""What a reader hands on: the numeric arrays of a file as they stand in it, and what it states of their axes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

import numpy as np
from jaxtyping import Shaped

from backbone.errors import InputError
from pdenet.readers.stored import StoredArray

Note = Callable[[str], None]  # is told every decision that was not the user's

# what an unreadable, damaged, cut or encrypted file raises in some reader
DAMAGE = (OSError, EOFError, ValueError, TypeError, LookupError, RuntimeError, ArithmeticError)


@dataclass(frozen=True)
class Contents:
    """The numeric arrays of one file; nothing is transposed, chosen or converted yet.

    source: the path as the user gave it. arrays: by the name in the file, read when indexed. dims: the names of the
    axes of an array, if the file states them; "" is an axis without a name. coordinates: by axis, if the format says
    which arrays they are (others are found by their names). boundary: of the space axes in the order z, y, x, if the
    file states them. remarks: what the reader decided and the user should know. close: ends the reading.
    """

    source: str
    arrays: Mapping[str, StoredArray]
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    coordinates: Mapping[str, Shaped[np.ndarray, " point"]] = field(default_factory=dict)
    boundary: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    close: Callable[[], object] = tuple  # nothing to end


def is_numeric(array: StoredArray) -> bool:
    """Whether an array holds real or complex numbers (no text, no objects, no truth values)."""
    return np.dtype(array.dtype).kind in "iufc"


def is_dates(array: StoredArray) -> bool:
    """Whether an array is a list of dates or of lengths of time."""
    return array.ndim == 1 and np.dtype(array.dtype).kind in "mM"


def load(array: StoredArray, name: str, source: str) -> Shaped[np.ndarray, "*axis"]:
    """All numbers of an array; InputError if the file turns out to be damaged."""
    try:
        return np.asarray(array[...])
    except DAMAGE as error:
        raise InputError(
            f"cannot read the numbers of {name}: {error}",
            where=f"{source}, {name}",
            cure="check that the file is whole, or save it again",
        ) from error


def inspect_command(source: str, *options: str) -> str:
    """The command line that looks at a file with these options, ready to paste into a shell."""
    return shlex.join(["pdenet-durr", "inspect", source, *options])


def from_extra(module: str, kind: str, source: str) -> ModuleType:
    """A module of the extra `io`, imported when it is needed; InputError with the line that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"{kind} needs the extra 'io' ({module} is not installed)",
            where=source,
            cure="pip install 'pdenet-durr[io]'",
        ) from error
