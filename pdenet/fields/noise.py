"""The noise of the data from the data alone: what high differences in time and space still find.

Differencing removes whatever is smooth and keeps white noise, so the smallest scaled difference is the noise.
"""

from __future__ import annotations

from math import comb

import numpy as np
from jaxtyping import Float64

from pdenet.fields.field import Field

TIME_ORDERS = range(0, 9, 2)
SPACE_ORDERS = range(0, 11, 2)
NORMAL_MAD = 0.674490  # median of |N(0, 1)|
ENOUGH_VALUES = 2_000_000  # per channel: a larger field is measured on a block of about this size
FEWEST_VALUES = 30  # a median of fewer differences says little


def estimate_noise(field: Field) -> Float64[np.ndarray, " channel"]:
    """Standard deviation of the white noise of each variable, in the units of the data.

    sigma = min over (a, b) of rms over runs of  median |D_t^a D_space^b u| / (0.6745 sqrt(C(2a,a) C(2b,b)^dims)),
    D the plain difference, whose output for white noise of deviation 1 has the variance C(2k,k). Where several
    orders agree, their median is taken, because the least of several chance values would be too small.
    Clean data that are well resolved give about their rounding error. Differences that meet a gap do not count.
    """
    return np.array([_channel_noise(_block(field.values[:, :, c])) for c in range(len(field.names))])


def _channel_noise(values: Float64[np.ndarray, "run time *space"]) -> float:
    estimates = _difference_levels(values)
    if not estimates:
        return 0.0
    consistent = [level for level in estimates if level <= 1.15 * min(estimates)]
    return float(np.median(consistent))


def _difference_levels(values: Float64[np.ndarray, "run time *space"]) -> list[float]:
    """The noise that each pair of difference orders allows."""
    levels = []
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
            medians = _medians(rough)
            if not medians:
                continue
            gain = NORMAL_MAD * np.sqrt(
                float(comb(2 * time_order, time_order) * comb(2 * space_order, space_order) ** n_dims)
            )
            levels.append(float(np.sqrt(np.mean(np.square(medians)))) / gain)
    return levels


def _medians(rough: Float64[np.ndarray, "run value"]) -> list[float]:
    """The median of each run that has values; none if all runs together have too few."""
    seen = [run[np.isfinite(run)] for run in rough]
    enough = sum(run.size for run in seen) >= FEWEST_VALUES
    return [float(np.median(run)) for run in seen if run.size] if enough else []


def _block(values: Float64[np.ndarray, "run time *space"]) -> Float64[np.ndarray, "run_ time_ *space_"]:
    """The middle of the data, cut along its longest axes to a size that takes well under a second."""
    while values.size > ENOUGH_VALUES:
        axis = int(np.argmax(values.shape))
        n = values.shape[axis]
        values = np.take(values, range(n // 4, n // 4 + n // 2), axis=axis)
    return values
