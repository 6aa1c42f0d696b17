"""The noise of the data from the data alone: what high differences in time and space still find.

Differencing removes whatever is smooth and keeps white noise, so the smallest scaled difference is the noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np
from jaxtyping import Float64

from pdenet.fields.field import Field

TIME_ORDERS = range(0, 9, 2)
SPACE_ORDERS = range(0, 11, 2)
NORMAL_MAD = 0.674490  # median of |N(0, 1)|
MEDIAN_SCATTER = 1.167  # relative deviation of sigma from the median of n values, times sqrt(n)
SAME = 1.15  # levels this close to the least one measure the same noise
ENOUGH_VALUES = 2_000_000  # per channel: a larger field is measured on a block of about this size
FEWEST_VALUES = 30  # a median of fewer differences says little


def estimate_noise(field: Field) -> Float64[np.ndarray, " channel"]:
    """Standard deviation of the white noise of each variable, in the units of the data; of all runs together.

    The root mean square of `noise_by_run`. Clean data that are well resolved give about their rounding error.
    """
    return np.sqrt(np.mean(noise_by_run(field) ** 2, axis=0))


def noise_by_run(field: Field) -> Float64[np.ndarray, "run channel"]:
    """Standard deviation of the white noise of each variable and run.

    level(a, b) = median |D_t^a D_space^b u| / (0.6745 sqrt(C(2a,a) C(2b,b)^dims)), D the plain difference, whose
    output for white noise of deviation 1 has the variance C(2k,k). The orders that agree with the least level are
    averaged, each by the number of its differences that are as good as independent. Differences that meet a gap do
    not count; a run of nothing but gaps is given the noise of the others.
    """
    return np.stack([_noise_of_runs(_block(field.values[:, :, c])) for c in range(len(field.names))], axis=1)


def _noise_of_runs(values: Float64[np.ndarray, "run time *space"]) -> Float64[np.ndarray, " run"]:
    found = list(_levels(values))
    if not found:
        return np.zeros(len(values))
    levels, sizes = (np.stack(rows) for rows in zip(*found, strict=True))
    # a level of few values may be low by chance: the least one is that which is surely low
    surely = np.where(sizes > 0, levels * (1.0 + 2.0 * MEDIAN_SCATTER / np.sqrt(np.maximum(sizes, 1e-300))), np.inf)
    weights = np.where(levels <= SAME * surely.min(axis=0), sizes, 0.0)
    noise = np.sqrt(np.sum(weights * levels**2, axis=0) / np.maximum(weights.sum(axis=0), 1e-300))
    seen = weights.any(axis=0)
    return np.where(seen, noise, np.sqrt(np.mean(noise[seen] ** 2)))


def _levels(
    values: Float64[np.ndarray, "run time *space"],
) -> Iterator[tuple[Float64[np.ndarray, " run"], Float64[np.ndarray, " run"]]]:
    """For each pair of orders: the level of each run, and how many independent values it rests on, 0 if all is gaps."""
    n_dims = values.ndim - 2
    for space_order in SPACE_ORDERS:
        if min(values.shape[2:]) <= space_order:
            break
        rough_in_space = values
        for axis in range(2, values.ndim):
            rough_in_space = np.diff(rough_in_space, n=space_order, axis=axis)
        for time_order in TIME_ORDERS:
            if values.shape[1] <= time_order or time_order + space_order == 0:
                continue
            rough = np.abs(np.diff(rough_in_space, n=time_order, axis=1)).reshape(len(values), -1)
            seen = [run[np.isfinite(run)] for run in rough]
            sizes = np.array([run.size for run in seen], dtype=np.float64)
            if sizes.sum() < FEWEST_VALUES:
                continue
            medians = np.array([np.median(run) if run.size else 0.0 for run in seen])
            variance = comb(2 * time_order, time_order) * comb(2 * space_order, space_order) ** n_dims
            alike = _alike(time_order) * _alike(space_order) ** n_dims
            yield medians / (NORMAL_MAD * np.sqrt(float(variance))), sizes / alike


def _alike(order: int) -> float:
    """Sum over all lags of the squared correlation of D^k of white noise: C(4k,2k) / C(2k,k)^2."""
    return comb(4 * order, 2 * order) / comb(2 * order, order) ** 2


def _block(values: Float64[np.ndarray, "run time *space"]) -> Float64[np.ndarray, "run time_ *space_"]:
    """The middle of every run, cut along its longest axes to a size that takes well under a second."""
    while values.size > ENOUGH_VALUES and max(values.shape[1:]) > 2 * FEWEST_VALUES:
        axis = 1 + int(np.argmax(values.shape[1:]))
        n = values.shape[axis]
        values = np.take(values, range(n // 4, n // 4 + n // 2), axis=axis)
    return values
