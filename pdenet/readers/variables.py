"""The variables of a file: which arrays they are, what they are called, and their values as real numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import numpy as np
from jaxtyping import Float64, Shaped

from backbone.errors import InputError, UsageError
from pdenet.readers.contents import Contents, Note, inspect_command, load
from pdenet.readers.coordinates import is_mesh
from pdenet.readers.dims import axis_named
from pdenet.readers.stored import StoredArray

SOLUTION_NAMES = ("usol", "uu", "sol", "tensor")  # what single solutions are called in published data sets
# Root mean square of the imaginary part over that of the real part: solvers that end with ifft leave up to 5e-6.
LARGEST_IMAGINARY_SHARE = 1e-5


def choose_variables(contents: Contents, wanted: Sequence[str] | None) -> dict[str, StoredArray]:
    """The arrays to learn from, by their names in the file: the wanted ones, else every array that may vary over time
    and space and is no coordinate.

    Raises UsageError for a wanted name that is not there, InputError if nothing is left or shapes differ.
    """
    source = contents.source
    found = {
        name: array
        for name, array in contents.arrays.items()
        if array.ndim > 1 and _may_vary(contents.dims.get(name, ())) and not is_mesh(name, array, source)
    }
    if wanted is not None:
        found = {name: _wanted(contents, name) for name in wanted}
    held = ", ".join(f"{name} {_size(array)}" for name, array in contents.arrays.items()) or "no numeric arrays"
    if not found:
        raise InputError(
            f"no variable over time and space; the file holds {held}",
            where=source,
            cure="save the variable as an array with axes such as run,time,x",
        )
    # arrays that name their axes may have them in orders of their own
    if len({array.shape for array in found.values()}) > 1 and not set(found) <= set(contents.dims):
        raise InputError(_differing(found), where=source, cure=inspect_command(source, "--var", next(iter(found))))
    return found


def demand_one_grid(variables: Mapping[str, StoredArray], source: str) -> None:
    """InputError unless variables whose axes stand in one order have one shape."""
    if len({array.shape for array in variables.values()}) > 1:
        raise InputError(
            _differing(variables), where=source, cure=inspect_command(source, "--var", next(iter(variables)))
        )


def _differing(variables: Mapping[str, StoredArray]) -> str:
    return f"the variables differ in shape: {', '.join(f'{name} {_size(array)}' for name, array in variables.items())}"


def _may_vary(words: tuple[str, ...]) -> bool:
    """Whether an array with these axes may be a variable: time and space are among them, or a name says nothing."""
    axes = {axis_named(word) for word in words}
    return not words or None in axes or ("time" in axes and not {"x", "y", "z"}.isdisjoint(axes))


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


def real_parts(
    name: str, stored: StoredArray, source: str, note: Note, *, split: bool
) -> dict[str, Float64[np.ndarray, "*axis"]]:
    """The values in float64 under their name, or the parts of complex data under two if they are to be split.

    InputError for complex data that are not. Coarser storage is told, since it acts as noise.
    """
    array = load(stored, name, source)
    if array.dtype.kind != "c":
        return {name: _double(name, array, note)}
    real, imaginary = (part[np.isfinite(part)] for part in (array.real, array.imag))
    share = _rms(imaginary) / max(_rms(real), np.finfo(float).tiny)
    if share <= LARGEST_IMAGINARY_SHARE:
        note(f"{name} is stored as complex; its imaginary part, {share:.1e} of the real one, is dropped")
        return {name: _double(name, array.real, note)}
    if not split:
        raise InputError(
            f"{name} is complex: its imaginary part is {share:.2g} of its real part (root mean squares)",
            where=f"{source}, {name}",
            cure=inspect_command(source, "--complex", "split"),
        )
    note(f"{name} is complex: its real part is called {name}Re, its imaginary part {name}Im")
    return {f"{name}Re": _double(name, array.real, note), f"{name}Im": _double(name, array.imag, note)}


def _double(name: str, array: Shaped[np.ndarray, "*axis"], note: Note) -> Float64[np.ndarray, "*axis"]:
    if array.dtype.kind in "iu":
        note(f"{name} is stored as whole numbers: their rounding acts like noise of 0.29")
    elif np.finfo(array.dtype).bits < 64:
        note(f"{name} is stored as {array.dtype}: rounded to {np.finfo(array.dtype).eps:.0e} of each value")
    return np.asarray(array, dtype=np.float64)


def _wanted(contents: Contents, name: str) -> StoredArray:
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


def _size(array: StoredArray) -> str:
    return "x".join(str(n) for n in array.shape) or "one number"
