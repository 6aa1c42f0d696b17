"""Is an axis periodic? The differences across the wrap are compared with those of the points beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float64

from pdenet.fields.field import Boundary, Field

HIGHEST_ORDER = 4  # value, slope, curvature and its change; higher differences see mostly noise
BESIDE = 8  # points on either side of the wrap that it is compared with
MOST_SNAPSHOTS = 0.75  # the difference that this share of the snapshots stays below
# Periodic data gave 0.7 to 1.5 on seven fields of five PDEs with 0 to 10 % noise, and 2.4 where the field has a kink
# at the wrap; the same data cut open gave 2.6 to 30 000 wherever the jump stood above the noise.
LARGEST_PERIODIC_RATIO = 2.5
ROUNDING = 1e-12  # of the largest value


def settle_boundaries(field: Field, asked: tuple[Boundary, ...] | None, note: Callable[[str], None]) -> Field:
    """The field with the boundary of each axis as asked for, else as it looks; `note` is told what was decided.

    A repeated end point of a period is dropped, unless "none" was asked for.
    """
    sides: list[Boundary] = []
    for k, axis in enumerate(field.axes):
        wish = None if asked is None else asked[k]
        if wish != "none" and repeats_end_point(field.values, k):
            field = replace(field, values=np.delete(field.values, -1, axis=3 + k))
            note(f"the last point along {axis} repeats the first one of the period and is dropped")
        ratio = wrap_ratio(field.values, k)
        looks: Boundary = "periodic" if ratio <= LARGEST_PERIODIC_RATIO else "none"
        if wish is None:
            note(
                f"{axis} looks {'periodic' if looks == 'periodic' else 'not periodic'} at its ends; --bc wins over this"
            )
        elif wish == "periodic" and looks == "none":
            note(
                f"{axis} is said to be periodic, but the data jump across its ends {ratio:.2g} times as much as beside"
            )
        sides.append(wish or looks)
    return replace(field, boundary=tuple(sides))


def wrap_ratio(values: Float64[np.ndarray, "run time channel *space"], axis: int) -> float:
    """How much rougher the data are across the wrap of space axis `axis` than beside it; about 1 if periodic.

    Largest over variables and difference orders 1 to 4 of  max |D^k u| across the wrap / max |D^k u| beside it,
    where |.| is the root mean square over the other axes and then the upper quartile over all snapshots. Differences
    that meet a gap do not count.
    """
    around = _around_wrap(values, axis)
    half = around.shape[-1] // 2
    tiny = max(ROUNDING * _largest(values), np.finfo(float).tiny)
    ratio = 0.0
    for order in range(1, min(HIGHEST_ORDER, half - 1) + 1):
        snapshots = _rms_over_other_axes(np.diff(around, n=order, axis=-1))
        roughness = _upper_quantile(snapshots)
        across = roughness[..., half - order : half].max(-1) + tiny
        beside = np.delete(roughness, slice(half - order, half), axis=-1).max(-1) + tiny
        ratio = max(ratio, float((across / beside).max()))
    return ratio


def repeats_end_point(values: Float64[np.ndarray, "run time channel *space"], axis: int) -> bool:
    """Whether the last point of an axis is the first one over again, as `linspace` with its end gives.

    Walls with equal values do not count: without the last point the axis has to be periodic, and no rougher
    across the wrap than with it (data that mirror themselves at the wrap also have equal ends).
    """
    if values.shape[3 + axis] < 4:
        return False
    around = np.moveaxis(values, 3 + axis, -1)
    gap = _largest(around[..., -1] - around[..., 0])
    neighbours = _largest(around[..., 1] - around[..., 0])
    if gap > 1e-6 * neighbours or neighbours <= ROUNDING * _largest(values):
        return False
    without = wrap_ratio(np.moveaxis(around[..., :-1], -1, 3 + axis), axis)
    return without <= LARGEST_PERIODIC_RATIO and without <= 2.0 * wrap_ratio(values, axis)


def _around_wrap(values: np.ndarray, axis: int) -> np.ndarray:
    """The points before and behind the wrap, side by side on the last axis."""
    half = min(values.shape[3 + axis] // 2, BESIDE)
    along = np.moveaxis(values, 3 + axis, -1)
    return np.concatenate([along[..., -half:], along[..., :half]], axis=-1)


def _largest(values: np.ndarray) -> float:
    """Largest absolute value, gaps left out; 0 if there is none."""
    return float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0))


def _rms_over_other_axes(values: np.ndarray) -> Float64[np.ndarray, "run time channel point"]:
    """Root mean square of what is there; NaN where nothing is."""
    others = tuple(range(3, values.ndim - 1))
    seen = np.isfinite(values)
    count = seen.sum(axis=others) if others else seen.astype(int)
    total = np.sum(np.where(seen, values, 0.0) ** 2, axis=others) if others else values**2
    return np.sqrt(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _upper_quantile(snapshots: Float64[np.ndarray, "run time channel point"]) -> Float64[np.ndarray, "channel point"]:
    """The level that most snapshots stay below; 0 where no snapshot has a value."""
    rows = snapshots.reshape(-1, *snapshots.shape[2:])
    if np.isfinite(rows).all():
        return np.quantile(rows, MOST_SNAPSHOTS, axis=0)
    empty = ~np.isfinite(rows).any(axis=0)
    return np.where(empty, 0.0, np.nanquantile(np.where(empty, 0.0, rows), MOST_SNAPSHOTS, axis=0))
