"""The times of a forecast: from the state it starts from to its end, in equal steps, all of them checked."""

from __future__ import annotations

import math

from backbone.errors import InputError, UsageError
from pdenet.fields.field import Field
from pdenet.learned.record import Learned

CLOSE = 1e-6  # of a step: decimal fractions are rounded in binary
SAME_TIME = 1e-3  # of a step: times cut to a few decimals in text files are off by this


def last_snapshot(
    learned: Learned, start: Field, measured: Field | None, t_end: float | None, save_every: float | None
) -> tuple[float, int]:
    """The time of the last snapshot, and the number of equal steps from the start to it.

    None takes the step and the end of the measurements, else the step of the data that the start is from.
    Raises UsageError without an end, or if the step does not divide the time to it; InputError if the
    measurements end before the start.
    """
    t0, step = start.t0, _step(learned, start, measured, save_every)
    if t_end is not None:
        return t_end, _whole_steps(t0, t_end, step)
    if measured is None:
        raise UsageError("how far? no end is given", where="--t-end", cure=f"--t-end {t0 + 10 * step:.10g}")
    n = math.floor((float(measured.times()[-1]) - t0) / step + SAME_TIME)
    if n < 1:
        raise no_common_times(start, measured)
    return t0 + n * step, n


def _step(learned: Learned, start: Field, measured: Field | None, save_every: float | None) -> float:
    """The time between two snapshots."""
    step = (start if measured is None else measured).dt if save_every is None else save_every
    if not (math.isfinite(step) and step > 0):
        raise UsageError(
            f"save-every {step:.10g} is not positive", where="--save-every", cure=f"--save-every {learned.dt:.10g}"
        )
    return step


def _whole_steps(t0: float, t_end: float, step: float) -> int:
    """How many steps lead from t0 to t_end; UsageError if that is no whole number, or none."""
    steps = (t_end - t0) / step
    if not (math.isfinite(steps) and round(steps) >= 1):
        raise UsageError(
            f"t-end {t_end:.10g} is not after the start at t = {t0:.10g}",
            where="--t-end",
            cure=f"--t-end {t0 + 10 * step:.10g}",
        )
    n = round(steps)
    if abs(steps - n) > CLOSE:
        raise UsageError(
            f"save-every {step:g} does not divide the time from t = {t0:g} to {t_end:g}",
            where="--save-every",
            cure=f"--t-end {t0 + n * step:.10g}, or --save-every {(t_end - t0) / n:.10g}",
        )
    return n


def network_steps(times: tuple[float, ...], dt: float) -> tuple[int, ...]:
    """The steps of the network until each time; UsageError if its own step dt does not divide them."""
    step = times[1] - times[0]
    per_save = round(step / dt)
    if per_save < 1 or abs(step - per_save * dt) > CLOSE * dt:
        raise UsageError(
            f"save-every {step:g} is no multiple of {dt:g}, the time step that the network was trained with",
            where="--save-every",
            cure=f"--save-every {max(per_save, 1) * dt:.10g}, or --solver equation",
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
    first, last = map(float, measured.times()[[0, -1]])
    since = (start.t0 - first) / measured.dt
    meets = start.t0 < last and abs(since - round(since)) <= SAME_TIME
    return InputError(
        f"nothing to compare with: measured are t = {first:g} to {last:g} in steps of {measured.dt:g}, "
        f"the forecast starts at t = {start.t0:g}",
        where=f"--compare {measured.source}",
        cure=f"--save-every {measured.dt:.10g}" if meets else from_the_measurements(measured),
    )


def from_the_measurements(measured: Field) -> str:
    """The command whose forecast always meets the measurements: it starts from their first snapshot."""
    return f"pdenet-durr forecast RUN --init {measured.source} --compare {measured.source}"
