"""Which axis of an array is which. Never guessed silently: told, named in the file, or forced by lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from jaxtyping import Shaped

from backbone.errors import InputError, UsageError
from pdenet.readers.contents import inspect_command
from pdenet.readers.stored import StoredArray

AXES = ("run", "time", "z", "y", "x")
_MEANING = {"t": "time", **{axis: axis for axis in AXES}}
# what files call the axes beside that, in lower case
_IN_FILES = {
    **dict.fromkeys(("member", "ensemble", "realization", "sample", "batch", "trajectory", "traj"), "run"),
    **dict.fromkeys(("lev", "level", "depth", "height", "altitude"), "z"),
    **dict.fromkeys(("lat", "latitude"), "y"),
    **dict.fromkeys(("lon", "longitude"), "x"),
    **_MEANING,
}
_SPACES = (("x",), ("y", "x"), ("z", "y", "x"))


def axis_named(word: str) -> str | None:
    """The axis that a file means by a name; None if the name says nothing."""
    return _IN_FILES.get(word.lower())


def parse_dims(words: str | Sequence[str]) -> tuple[str, ...]:
    """Full axis names from `run,t,y,x` or a list of such words; UsageError on anything else."""
    given = [word.strip() for word in (words.split(",") if isinstance(words, str) else words)]
    spelt = ",".join(given)
    for word in given:
        if word not in _MEANING:
            raise UsageError(
                f"--dims {spelt}: '{word}' is not an axis; axes are run t z y x", where="--dims", cure="--dims run,t,x"
            )
    names = tuple(_MEANING[word] for word in given)
    if not _is_complete(names):
        raise UsageError(
            f"--dims {spelt}: wants t once and x, or y,x, or z,y,x, each once", where="--dims", cure="--dims run,t,x"
        )
    return names


def resolve_dims(
    name: str,
    array: StoredArray,
    lengths: Mapping[str, int],
    *,
    given: tuple[str, ...] | None,
    stated: tuple[str, ...],
    source: str,
) -> tuple[str, ...]:
    """Axis names of an array in its own order.

    The order of trust: `given` by the user, `stated` in the file, the only assignment in which every axis has
    the length of its coordinate. lengths: number of entries of each coordinate the file has, by axis name. stated:
    one name for each axis, "" where the file has none; empty if it names no axis at all.
    Raises UsageError for dims that do not fit the array, InputError if the lengths leave a choice or none.
    """
    where = f"{source}, {name}"
    shape = tuple(array.shape)
    if given is not None:
        if len(given) != len(shape):
            raise UsageError(
                f"--dims {','.join(given)} names {len(given)} axes, {name} has {len(shape)}: {_size(shape)}",
                where=where,
                cure=f"give {len(shape)} of: run t z y x",
            )
        _check_lengths(name, shape, given, lengths, where)
        return given
    if all(stated) and stated:
        return _stated_dims(name, shape, stated, lengths, where, source)
    return _forced_dims(name, shape, lengths, stated or ("",) * len(shape), where, source)


def to_standard_order(
    array: Shaped[np.ndarray, "*axis"], dims: tuple[str, ...]
) -> Shaped[np.ndarray, "run time *space"]:
    """The array with its axes in the order run, time, z, y, x, by transposition only; a missing run axis is added."""
    order = sorted(range(len(dims)), key=lambda k: AXES.index(dims[k]))
    ordered = array.transpose(order)
    return ordered if "run" in dims else ordered[np.newaxis]


def _stated_dims(
    name: str, shape: tuple[int, ...], stated: tuple[str, ...], lengths: Mapping[str, int], where: str, source: str
) -> tuple[str, ...]:
    names = tuple(axis_named(word) or word for word in stated)
    if len(names) != len(shape) or not _is_complete(names):
        raise InputError(
            f"the file names the axes {','.join(stated)}, which cannot be those of {name}: {_size(shape)}",
            where=f"{source}, dims",
            cure=inspect_command(source, "--dims", _example(len(shape))),
        )
    _check_lengths(name, shape, names, lengths, where)
    return names


def _forced_dims(
    name: str, shape: tuple[int, ...], lengths: Mapping[str, int], stated: tuple[str, ...], where: str, source: str
) -> tuple[str, ...]:
    known = tuple(axis_named(word) for word in stated)
    found = [
        dims
        for dims in permutations(AXES, len(shape))
        if _fits(dims, shape, lengths) and all(word in (None, axis) for word, axis in zip(known, dims, strict=True))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        has = ", ".join(f"{axis} {n}" for axis, n in lengths.items())
        raise InputError(
            f"{name} is {_size(shape)}, which does not fit the coordinates in the file: {has}",
            where=where,
            cure="save every coordinate (t, x, y, z) with as many entries as its axis has",
        )
    choices = " or ".join(",".join(dims) for dims in found[:6]) + (" or others" if len(found) > 6 else "")
    raise InputError(
        f"cannot tell the axes of {name}, {_size(shape)}: {choices}?",
        where=where,
        cure=inspect_command(source, "--dims", ",".join(found[0])),
    )


def _fits(dims: tuple[str, ...], shape: tuple[int, ...], lengths: Mapping[str, int]) -> bool:
    """Whether the names are complete, use every coordinate and agree with its length; if the file has coordinates
    of space at all, then of every space axis."""
    known_space = set(lengths) & {"x", "y", "z"}
    return (
        _is_complete(dims)
        and set(lengths) <= set(dims)
        and (not known_space or known_space == set(dims) & {"x", "y", "z"})
        and all(lengths.get(axis, n) == n for axis, n in zip(dims, shape, strict=True))
    )


def _check_lengths(
    name: str, shape: tuple[int, ...], dims: tuple[str, ...], lengths: Mapping[str, int], where: str
) -> None:
    for axis, n in zip(dims, shape, strict=True):
        if lengths.get(axis, n) != n:
            raise InputError(
                f"{','.join(dims)}: the axis named {axis} of {name} has {n} entries, "
                f"the coordinate in the file {lengths[axis]}; {name} is {_size(shape)}",
                where=where,
                cure="name the axes in the order they have in the file with --dims",
            )


def _is_complete(dims: tuple[str, ...]) -> bool:
    space = tuple(axis for axis in AXES if axis in dims and axis not in ("run", "time"))
    return len(set(dims)) == len(dims) and set(dims) <= set(AXES) and "time" in dims and space in _SPACES


def _example(n_axes: int) -> str:
    return ",".join({2: ("time", "x"), 3: ("run", "time", "x"), 4: ("run", "time", "y", "x")}.get(n_axes, AXES))


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(str(n) for n in shape)
