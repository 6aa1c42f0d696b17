"""The times of a forecast: from the state it starts from to its end, in equal steps, all of them checked."""

from __future__ import annotations

import math

from backbone.errors import InputError, UsageError
from pdenet.fields.field import Field
from pdenet.learned.record import Learned

CLOSE = 1e-6  # of a step: decimal fractions are rounded in binary
SAME_TIME = 1e-3  # of a step: times cut to a few decimals in text files are off by this


def schedule(
    learned: Learned, start: Field, measured: Field | None, t_end: float | None, save_every: float | None
) -> tuple[float, ...]:
    """t0, t0 + save_every, ... t_end, where t0 is the time of the start.

    None takes the steps and the end of the measurements, else the step of the data that the start is from.
    Raises UsageError without an end, or if the step does not divide the time to it; InputError if the
    measurements end before the start.
    """
    t0 = start.t0
    step = save_every or (start.dt if measured is None else measured.dt)
    if not (math.isfinite(step) and step > 0):
        raise UsageError(
            f"save-every {step:g} is not positive", where="--save-every", cure=f"--save-every {learned.dt:g}"
        )
    if t_end is None and measured is None:
        raise UsageError("how far? no end is given", where="--t-end", cure=f"--t-end {t0 + 10 * step:g}")
    if t_end is None:
        n = math.floor((measured.times()[-1] - t0) / step + SAME_TIME)
        if n < 1:
            raise no_common_times(start, measured)
        return tuple(t0 + k * step for k in range(n + 1))
    n = round((t_end - t0) / step)
    if not math.isfinite(t_end) or n < 1:
        raise UsageError(
            f"t-end {t_end:g} is not after the start at t = {t0:g}", where="--t-end", cure=f"--t-end {t0 + 10 * step:g}"
        )
    if abs(t_end - t0 - n * step) > CLOSE * step:
        raise UsageError(
            f"save-every {step:g} does not divide the time from t = {t0:g} to {t_end:g}",
            where="--save-every",
            cure=f"--t-end {t0 + n * step:g}, or --save-every {(t_end - t0) / n:g}",
        )
    return tuple(t0 + (t_end - t0) * k / n for k in range(n + 1))


def network_steps(times: tuple[float, ...], dt: float) -> tuple[int, ...]:
    """The steps of the network until each time; UsageError if its own step dt does not divide them."""
    step = times[1] - times[0]
    per_save = round(step / dt)
    if per_save < 1 or abs(step - per_save * dt) > CLOSE * dt:
        raise UsageError(
            f"save-every {step:g} is no multiple of {dt:g}, the time step that the network was trained with",
            where="--save-every",
            cure=f"--save-every {max(per_save, 1) * dt:g}, or --solver equation",
        )
    return tuple(k * per_save for k in range(len(times)))


def common_times(times: tuple[float, ...], measured: Field) -> list[tuple[int, int]]:
    """Pairs of places (in the forecast, in the measurements) of equal times."""
    tolerance = SAME_TIME * min(times[1] - times[0], measured.dt)
    places = [round((t - measured.t0) / measured.dt) for t in times]
    return [
        (k, place)
        for k, (t, place) in enumerate(zip(times, places, strict=True))
        if 0 <= place < measured.n_times and abs(measured.t0 + place * measured.dt - t) <= tolerance
    ]


def no_common_times(start: Field, measured: Field) -> InputError:
    """The complaint that nothing was measured when something is forecast."""
    first, last = measured.times()[[0, -1]]
    return InputError(
        f"nothing to compare with: measured are t = {first:g} to {last:g} in steps of {measured.dt:g}, "
        f"the forecast starts at t = {start.t0:g}",
        where=f"--compare {measured.source}",
        cure=f"--save-every {measured.dt:g}, or start from another state",
    )
