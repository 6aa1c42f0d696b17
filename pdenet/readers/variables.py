"""The variables of a file: which arrays they are, what they are called, and their values as real numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from jaxtyping import Float64, Shaped

from backbone.errors import InputError, UsageError
from pdenet.readers.contents import Contents, Note, inspect_command
from pdenet.readers.coordinates import is_mesh

SOLUTION_NAMES = ("usol", "uu", "sol")  # what single solutions are called in published data sets
# Root mean square of the imaginary part over that of the real part: solvers that end with ifft leave up to 5e-6.
LARGEST_IMAGINARY_SHARE = 1e-5


def choose_variables(contents: Contents, wanted: Sequence[str] | None) -> dict[str, Shaped[np.ndarray, "*axis"]]:
    """The arrays to learn from, by their names in the file: the wanted ones, else every array that is no coordinate.

    Raises UsageError for a wanted name that is not there, InputError if nothing is left or shapes differ.
    """
    found = {name: array for name, array in contents.arrays.items() if array.ndim > 1 and not is_mesh(name, array)}
    if wanted is not None:
        found = {name: _wanted(contents, name) for name in wanted}
    held = ", ".join(f"{name} {_size(array)}" for name, array in contents.arrays.items()) or "no numeric arrays"
    if not found:
        raise InputError(
            f"no variable over time and space; the file holds {held}",
            where=contents.source,
            cure="save the variable as an array with axes such as run,time,x",
        )
    shapes = {array.shape for array in found.values()}
    if len(shapes) > 1:
        raise InputError(
            f"the variables differ in shape: {', '.join(f'{name} {_size(array)}' for name, array in found.items())}",
            where=contents.source,
            cure=inspect_command(contents.source, "--var", next(iter(found))),
        )
    return found


def clean_names(names: Sequence[str], source: str, note: Note) -> tuple[str, ...]:
    """Names that terms can carry: `usol` alone becomes `u`, `v_x` becomes `vx`; every change is told in a note."""
    if len(names) == 1 and names[0].lower() in SOLUTION_NAMES:
        note(f"{names[0]} is called u")
        return ("u",)
    cleaned = []
    for name in names:
        legal = re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[0-9]+)?", name)
        short = name if legal else re.sub(r"[^A-Za-z0-9]", "", name)
        if not short or not short[0].isalpha() or short in ("t", "x", "y", "z"):
            short = f"u{short}"
        if short != name:
            note(f"{name} is called {short}, because {name} would not read as one variable in an equation")
        cleaned.append(short)
    if len(set(cleaned)) < len(cleaned):
        raise InputError(
            f"the names {', '.join(names)} become {', '.join(cleaned)}, which are not different",
            where=source,
            cure="rename the variables in the file with letters and digits only",
        )
    return tuple(cleaned)


def real_values(name: str, array: Shaped[np.ndarray, "*axis"], source: str, note: Note) -> Float64[np.ndarray, "*axis"]:
    """The values in float64; InputError for truly complex data. Coarser storage is told, since it acts as noise."""
    if array.dtype.kind == "c":
        real, imaginary = (part[np.isfinite(part)] for part in (array.real, array.imag))
        share = _rms(imaginary) / max(_rms(real), np.finfo(float).tiny)
        if share > LARGEST_IMAGINARY_SHARE:
            raise InputError(
                f"{name} is complex: its imaginary part is {share:.2g} of its real part (root mean squares)",
                where=f"{source}, {name}",
                cure="save the real and the imaginary part as two real variables",
            )
        note(f"{name} is stored as complex; its imaginary part, {share:.1e} of the real one, is dropped")
        array = array.real
    if array.dtype.kind in "iu":
        note(f"{name} is stored as whole numbers: their rounding acts like noise of 0.29")
    elif np.finfo(array.dtype).bits < 64:
        note(f"{name} is stored as {array.dtype}: rounded to {np.finfo(array.dtype).eps:.0e} of each value")
    return np.asarray(array, dtype=np.float64)


def _wanted(contents: Contents, name: str) -> Shaped[np.ndarray, "*axis"]:
    if name not in contents.arrays:
        near = get_close_matches(name, contents.arrays, n=1)
        held = ", ".join(contents.arrays)
        raise UsageError(
            f"there is no variable '{name}'; the file holds {held}" + (f". Did you mean {near[0]}?" if near else ""),
            where=f"{contents.source}, --var",
            cure=f"--var {near[0] if near else next(iter(contents.arrays), 'u')}",
        )
    array = contents.arrays[name]
    if array.ndim < 2:
        raise UsageError(
            f"'{name}' is no variable over time and space: it has {array.ndim} axes ({_size(array)})",
            where=f"{contents.source}, --var",
            cure="name an array with at least the axes time,x",
        )
    return array


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.abs(values) ** 2))) if values.size else 0.0


def _size(array: np.ndarray) -> str:
    return "x".join(str(n) for n in array.shape) or "one number"
