"""What a reader hands on: the numeric arrays of a file as they stand in it, and the axis names it states."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Note = Callable[[str], None]  # is told every decision that was not the user's


@dataclass(frozen=True)
class Contents:
    """The numeric arrays of one file; nothing is transposed, chosen or converted yet.

    source: the path as the user gave it. arrays: by the name in the file. dims: the names of the axes of its
    variables, and boundary: of its space axes in the order z, y, x, if the file states them, else empty.
    """

    source: str
    arrays: Mapping[str, np.ndarray]
    dims: tuple[str, ...] = ()
    boundary: tuple[str, ...] = ()


def is_numeric(array: np.ndarray) -> bool:
    """Whether an array holds real or complex numbers (no text, no objects, no truth values)."""
    return array.dtype.kind in "iufc"


def inspect_command(source: str, *options: str) -> str:
    """The command line that looks at a file with these options, ready to paste into a shell."""
    return shlex.join(["pdenet-durr", "inspect", source, *options])
