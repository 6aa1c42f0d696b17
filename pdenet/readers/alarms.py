"""What makes data unusable however well they are read: holes, too few snapshots, a reshape for a transpose."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.field import Field

FEWEST_SNAPSHOTS = 3  # a second-order time derivative, the least that is not biased, needs three
FEWEST_POINTS = 5  # a second space derivative with a check on its accuracy needs five
ROUGH = 0.3  # RMS second difference, 1 for white noise: smoother data raise no layout alarm
MUCH_SMOOTHER = 0.3  # undone, a reshape leaves less than this share of the roughness
ENOUGH_VALUES = 1_000_000  # the first ones in memory settle whether a reshape explains the roughness


def problems(field: Field) -> Iterator[InputError]:
    """Every reason not to use the field, worst first."""
    if field.n_times < FEWEST_SNAPSHOTS:
        yield InputError(
            f"{field.n_times} snapshots: a time derivative needs at least {FEWEST_SNAPSHOTS}",
            where=field.source,
            cure="save more snapshots of each run, or check --dims",
        )
    for axis, n in zip(field.axes, field.space_shape, strict=True):
        if n < FEWEST_POINTS:
            yield InputError(
                f"{n} points along {axis}: space derivatives need at least {FEWEST_POINTS}",
                where=field.source,
                cure="save a finer grid, or check --dims",
            )
    for channel, name in enumerate(field.names):
        holes = ~np.isfinite(field.values[:, :, channel])
        if holes.any():
            yield _hole(field, channel, name, holes)


def check_layout(name: str, array: Float64[np.ndarray, "*axis"], dims: tuple[str, ...], source: str) -> None:
    """Raise InputError if an array looks reshaped where it should have been transposed.

    A reshape lays the same numbers out in rows of another length, so that neighbours jump in a regular pattern.
    The alarm is raised only if some other order of the axes, read from the same memory, is much smoother:
    roughness = largest over time and space axes of rms(D^2 u) / (sqrt(6) std(u)), which is 1 for white noise.
    """
    found = _roughness(array, dims)
    if not ROUGH < max(found.values()) < np.inf:
        return
    for order in permutations(range(array.ndim)):
        shape = tuple(array.shape[k] for k in order)
        names = tuple(dims[k] for k in order)
        if shape == array.shape:
            continue
        by_rows = _roughness(_first_part(array.ravel(), shape), names)
        # by columns, as MATLAB reshapes: the same as by rows with all axes in the other order
        by_columns = _roughness(_first_part(array.ravel(order="F"), shape[::-1]), names[::-1])
        if min(max(by_rows.values()), max(by_columns.values())) < MUCH_SMOOTHER * max(found.values()):
            raise _scrambled(name, found, shape, names, source)


def _roughness(array: Float64[np.ndarray, "*axis"], dims: tuple[str, ...]) -> dict[str, float]:
    spread = float(np.std(array))
    if not spread > 0.0:  # constant, or NaN, which is another alarm's business
        return dict.fromkeys(dims, 0.0)
    return {
        axis: float(np.sqrt(np.mean(np.diff(array, 2, axis=k) ** 2) / 6)) / spread
        for k, axis in enumerate(dims)
        if axis != "run" and array.shape[k] > 2
    } or dict.fromkeys(dims, 0.0)


def _first_part(memory: Float64[np.ndarray, " value"], shape: tuple[int, ...]) -> Float64[np.ndarray, "*axis"]:
    rest = int(np.prod(shape[1:]))
    rows = min(shape[0], max(3, ENOUGH_VALUES // rest))
    return memory[: rows * rest].reshape(rows, *shape[1:])


def _scrambled(
    name: str, found: dict[str, float], shape: tuple[int, ...], names: tuple[str, ...], source: str
) -> InputError:
    told = ", ".join(f"{share:.2g} along {axis}" for axis, share in found.items())
    size = "x".join(str(n) for n in shape)
    return InputError(
        f"{name} jumps in a regular pattern (second differences {told}; white noise has 1): it looks reshaped "
        f"instead of transposed, and read back as {','.join(names)} ({size}) it is smooth",
        where=f"{source}, {name}",
        cure=f"save the {size} array as it was before the reshape, with --dims {','.join(names)}",
    )


def _hole(field: Field, channel: int, name: str, holes: np.ndarray) -> InputError:
    n_nan = int(np.isnan(field.values[:, :, channel]).sum())
    n_inf = int(holes.sum()) - n_nan
    kinds = " and ".join(f"{n:,} {kind}".replace(",", " ") for n, kind in ((n_nan, "NaN"), (n_inf, "Inf")) if n)
    run, time, *place = np.unravel_index(int(np.argmax(holes)), holes.shape)
    points = [f"t={field.times()[time]:g}"]
    points += [f"{axis}={field.coordinates()[axis][k]:g}" for axis, k in zip(field.axes, place, strict=True)]
    total = f"{holes.size:,}".replace(",", " ")
    return InputError(
        f"{name} has {kinds} of {total} ({100 * holes.mean():.2g} %), first at run {run}, {', '.join(points)}",
        where=f"{field.source}, {name}",
        cure="keep only runs, snapshots or a window without them, or fill them before saving",
    )
