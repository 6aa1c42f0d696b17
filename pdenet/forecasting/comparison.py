"""How far a forecast is from measurements, from another forecast, or from itself: relative, at every time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from pdenet.fields.field import Field

LIMIT = 0.1  # the relative error at which a forecast is no longer one


def spreads(field: Field) -> Float64[np.ndarray, " channel"]:
    """Standard deviation of each variable over all runs, times and points; its size where it does not vary."""
    by_channel = np.moveaxis(field.values, 2, 0).reshape(len(field.names), -1)
    spread, size = np.nanstd(by_channel, axis=1), np.nanmax(np.abs(by_channel), axis=1)
    return np.where(spread > 1e-12 * size, spread, np.where(size > 0, size, 1.0))


def relative_size(
    values: Float64[np.ndarray, "run time channel *space"], spread: Float64[np.ndarray, " channel"]
) -> Float64[np.ndarray, " time"]:
    """sqrt(mean over variables of (rms over runs and space)^2 / spread^2) at each time; gaps (NaN) do not count."""
    others = (0, *range(3, values.ndim))
    seen = np.isfinite(values)
    total = np.sum(np.square(values, where=seen, out=np.zeros_like(values)), axis=others)
    count = seen.sum(axis=others)
    mean = np.divide(total, count, where=count > 0, out=np.full(total.shape, np.nan))
    return np.sqrt((mean / np.square(spread)).mean(axis=1))


def error_by_time(
    forecast: Field, measured: Field, pairs: Sequence[tuple[int, int]], spread: Float64[np.ndarray, " channel"]
) -> Float64[np.ndarray, " time"]:
    """Relative error at every time of the forecast; NaN where nothing was measured.

    pairs: places of equal times in the forecast and in the measurements.
    """
    here, there = map(list, zip(*pairs, strict=True))
    errors = np.full(forecast.n_times, np.nan)
    errors[here] = relative_size(forecast.values[:, here] - measured.values[:, there], spread)
    return errors


def horizon(times: Sequence[float], errors: Float64[np.ndarray, " time"], limit: float = LIMIT) -> float | None:
    """The time at which the error first passes the limit, by straight lines between times; None if it never does."""
    known = np.flatnonzero(np.isfinite(errors))
    above = known[errors[known] > limit]
    if len(above) == 0:
        return None
    after = int(above[0])
    before = known[known < after]
    if len(before) == 0:
        return float(times[after])
    last = int(before[-1])
    share = (limit - errors[last]) / (errors[after] - errors[last])
    return float(times[last] + share * (times[after] - times[last]))
