"""How finely the data resolve the dynamics: the wave numbers that are seen to move, and the best window in time.

Nothing here is tuned by hand. The window minimises the predicted error of a coefficient, variance of the noise plus
square of the truncation error. A wave number counts as resolved if polynomials in time leave less than half of what
they would leave of white noise; noise, rounding and waves too fast for the snapshots all fail that test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Complex128, Float64
from numpy.polynomial import legendre

from backbone.errors import InputError
from pdenet.discovery.collocation import FADES, Axis, Collocation, TimeWindow, space_operators
from pdenet.discovery.fading import Fading
from pdenet.discovery.walled import WalledAxis
from pdenet.fields.field import Field

# Power below this share of the strongest mode's is the rounding of float64 data and transforms.
ROUNDING = 1e-26
MAX_WIDTH = 21  # wider windows bring no smaller error on any data tried and cost quadratically
MAX_DEGREE = 10
NOISE_UNSURE = 0.03  # share by which its variance is misjudged: what chance adds to it is no truncation
FURTHER = 2  # at least so many wave numbers beyond those seen, which noise hides although they act on them
FALL = 100.0  # of power from the last wave number seen, at which what is left out changes no coefficient
N_SIGMAS = 4.0  # by which a wave number must rise above noise to be seen


def choose_collocation(
    field: Field, noise: Float64[np.ndarray, "run channel"], *, max_order: int, degree: int
) -> Collocation:
    """Collocation of the data for products of `degree` factors with derivatives up to `max_order`."""
    if field.n_times < 3:
        raise InputError(
            f"{field.n_times} snapshots: a time derivative needs at least 3",
            where=field.source,
            cure="save more snapshots of each run",
        )
    cutoffs = tuple((n - 1) // 2 for n in field.space_shape)
    while True:
        axes = space_operators(field, cutoffs=cutoffs, max_order=max_order, degree=degree)
        window = choose_window(field, noise, axes)
        resolved = resolved_cutoffs(field, window, axes, cutoffs)
        if resolved == cutoffs:
            return Collocation(window, _between_gaps(field, window, axes) if field.has_gaps else axes)
        cutoffs = resolved


def _between_gaps(field: Field, window: TimeWindow, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The axes with waves that fade out as gently as leaves half of their weight between the gaps."""
    some = field.values[:: max(field.n_runs // 4, 1)]
    starts = window.starts(field.n_times)[:: max(len(window.starts(field.n_times)) // 8, 1)]
    gaps = [np.isnan(some[:, s : s + window.width]).any(axis=(1, 2)) for s in starts]
    missing = torch.as_tensor(np.concatenate(gaps))

    def weight(fade: int) -> float:
        gentler = [replace(axis, fade=min(fade, axis.fade)) for axis in axes]
        return float(Fading(gentler, missing.device).of(missing).mean())

    best = next((fade for fade in FADES if weight(fade) >= 0.5 * weight(0)), 0)
    return tuple(replace(axis, fade=min(best, axis.fade)) for axis in axes)


def resolved_cutoffs(
    field: Field, window: TimeWindow, axes: tuple[Axis, ...], cutoffs: tuple[int, ...]
) -> tuple[int, ...]:
    """Largest resolved wave number of each axis, at most the given one."""
    left_of_noise = 1.0 - (window.degree + 1) / window.width
    if left_of_noise <= 0.0:
        return cutoffs
    knots = np.linspace(-1.0, 1.0, window.width)
    basis = legendre.legvander(knots, window.degree)
    remainder = np.eye(window.width) - basis @ np.linalg.pinv(basis)
    resolved = []
    bridged = _bridged(field.values[:: max(field.n_runs // 8, 1)])
    for axis, cutoff in enumerate(cutoffs):
        seen = bridged
        if isinstance(axes[axis], WalledAxis):
            faded = axes[axis].fading()[:, None] * axes[axis].derivative(0)
            seen = np.moveaxis(np.moveaxis(bridged, 3 + axis, -1) @ faded.T, -1, 3 + axis)
        share = _unexplained_share(_slow_spectrum(seen, axis, field), axis, window, remainder)[1 : cutoff + 1]
        lost = share > 0.5 * left_of_noise
        # one wave number may look lost by chance; two neighbours end the band
        ends = np.flatnonzero(lost & np.append(lost[1:], True))
        resolved.append(int(np.clip(ends[0] if len(ends) else cutoff, 1, cutoff)))
    return tuple(resolved)


def _bridged(values: Float64[np.ndarray, "run time *rest"]) -> Float64[np.ndarray, "run time *rest"]:
    """Gaps bridged by straight lines in time: good enough to see which waves move. What was never seen is zero."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    times = np.arange(values.shape[1]).reshape(1, -1, *(1,) * (values.ndim - 2))
    before = np.maximum.accumulate(np.where(missing, -1, times), axis=1)
    after = np.flip(np.minimum.accumulate(np.flip(np.where(missing, values.shape[1], times), 1), axis=1), 1)
    before, after = np.where(before < 0, after, before), np.where(after >= values.shape[1], before, after)
    whole = np.nan_to_num(values)
    low, high = (np.take_along_axis(whole, np.clip(k, 0, values.shape[1] - 1), axis=1) for k in (before, after))
    return low + (high - low) * (times - before) / np.maximum(after - before, 1)


def _unexplained_share(
    spectrum: Complex128[np.ndarray, "run time channel *mode"],
    axis: int,
    window: TimeWindow,
    remainder: Float64[np.ndarray, "width width"],
) -> Float64[np.ndarray, " mode"]:
    """Share of the power of each wave number of one axis that polynomials in time leave over."""
    spectrum = np.moveaxis(spectrum, (1, 3 + axis), (-1, 0))  # mode ... time
    left = np.zeros(len(spectrum))
    total = np.zeros(len(spectrum))
    for start in window.starts(spectrum.shape[-1]):
        piece = spectrum[..., start : start + window.width]
        others = tuple(range(1, piece.ndim))
        left += np.sum(np.abs(piece @ remainder) ** 2, axis=others)
        total += np.sum(np.abs(piece) ** 2, axis=others)
    return np.where(total > ROUNDING * total.max(), left / np.maximum(total, 1e-300), 1.0)


def _slow_spectrum(
    values: Float64[np.ndarray, "run time channel *space"], axis: int, field: Field
) -> Complex128[np.ndarray, "run time channel *mode"]:
    """Spectrum along one axis, of the slow modes of the other periodic axes."""
    spectrum = np.fft.rfft(values, axis=3 + axis)
    for other, (n, side) in enumerate(zip(field.space_shape, field.boundary, strict=True)):
        if other != axis and side == "periodic":
            slow = np.abs(np.fft.fftfreq(n) * n) <= max(n // 8, 1)
            spectrum = np.compress(slow, np.fft.fft(spectrum, axis=3 + other), axis=3 + other)
    return spectrum


def _spread(field: Field) -> Float64[np.ndarray, " channel"]:
    return np.nanstd(np.moveaxis(field.values, 2, 0).reshape(len(field.names), -1), axis=1)


def choose_window(field: Field, noise: Float64[np.ndarray, "run channel"], axes: tuple[Axis, ...]) -> TimeWindow:
    """The window whose predicted error of a coefficient is smallest."""
    modes, variance = _tested_modes(field, noise, axes)
    widest = min(field.n_times, MAX_WIDTH)
    order = field.time_order
    if widest <= order + 2:
        return TimeWindow(widest, widest - 1, order)
    scored = [
        (_predicted_error(modes, variance, TimeWindow(width, degree, order), field.dt), width, degree)
        for width in range(order + 3, widest + 1)
        for degree in range(2, min(width - 1 - order, MAX_DEGREE) + 1)
    ]
    _, width, degree = min(scored)
    return TimeWindow(width, degree, order)


def _tested_modes(
    field: Field, noise: Float64[np.ndarray, "run channel"], axes: tuple[Axis, ...]
) -> tuple[Float64[np.ndarray, "time sample"], float]:
    """Histories of the low wave numbers of some runs in units of each channel's spread, and their noise variance.

    Data with gaps give those of their points, with NaN wherever a stencil meets one.
    """
    some = slice(None, None, max(field.n_runs // 8, 1))
    spread = np.maximum(_spread(field), 1e-300)
    modes = field.values[some] / spread.reshape(-1, *(1,) * field.n_dims)
    missing = np.isnan(modes)
    if not field.has_gaps:
        modes = _along_axes(modes, [axis.tested_values() for axis in axes])
    else:
        modes = _along_axes(np.where(missing, 0.0, modes), [axis.derivative(0) for axis in axes])
        modes[_along_axes(missing.astype(np.float64), [axis.reach() for axis in axes]) > 0.0] = np.nan
    variance = float(np.mean((noise[some] / spread) ** 2))
    return np.moveaxis(modes, 1, 0).reshape(field.n_times, -1), variance


def _along_axes(
    values: Float64[np.ndarray, "run time channel *space"], operators: Sequence[Float64[np.ndarray, "mode point"]]
) -> Float64[np.ndarray, "run time channel *mode"]:
    """Apply one matrix along each space axis."""
    for k, operator in enumerate(operators):
        values = np.moveaxis(np.moveaxis(values, 3 + k, -1) @ operator.T, -1, 3 + k)
    return values


def truncation_error(field: Field, noise: Float64[np.ndarray, "run channel"], collocation: Collocation) -> float:
    """RMS error of the slopes that the window's polynomials leave, over the slopes; 0 if noise hides it."""
    modes, variance = _tested_modes(field, noise, collocation.axes)
    window = collocation.window
    if window.width <= window.degree + window.time_order:
        return 0.0
    slope = window.operators(field.dt)[-1]
    slopes = _known([slope @ modes[s : s + window.width] for s in window.starts(len(modes))])
    left_out = _truncation(modes, variance, window, field.dt)
    if left_out < variance * float(np.mean(np.sum(slope**2, axis=1))):
        return 0.0
    return float(np.sqrt(left_out / max(np.mean(np.square(slopes)), 1e-300)))


def _truncation(modes: Float64[np.ndarray, "time sample"], variance: float, window: TimeWindow, dt: float) -> float:
    """Mean square error of the slopes by the next Legendre coefficient, which the window's polynomials lack."""
    next_coefficient, rise = window.missing(dt)
    known = _known([next_coefficient @ modes[s : s + window.width] for s in window.starts(len(modes))])
    left_out = float(np.mean(known**2)) if known.size else np.inf
    left_out = max(left_out - (1.0 + NOISE_UNSURE) * variance * float(next_coefficient @ next_coefficient), 0.0)
    return left_out * float(np.mean(rise**2))


def _known(results: Sequence[Float64[np.ndarray, "*result"]]) -> Float64[np.ndarray, " known"]:
    """What the windows gave, without those that met a gap."""
    together = np.stack(results)
    return together[np.isfinite(together)]


def _predicted_error(
    modes: Float64[np.ndarray, "time sample"], variance: float, window: TimeWindow, dt: float
) -> float:
    """Noise variance of the slopes over the number of rows, plus the square of their truncation error."""
    slope = window.operators(dt)[-1]
    # overlapping windows bring no new rows, those that meet a gap none at all
    whole = np.mean([np.isfinite(modes[s : s + window.width]).all(axis=0) for s in window.starts(len(modes))])
    n_rows = (len(modes) - 1) / (window.width - 1) * len(window.points) * modes.shape[1] * whole
    noise = variance * float(np.mean(np.sum(slope**2, axis=1))) / max(n_rows, 1e-300)
    return noise + _truncation(modes, variance, window, dt)


def seen_wave_numbers(field: Field, noise: Float64[np.ndarray, "run channel"]) -> tuple[int, ...]:
    """The largest wave number of each periodic axis that holds more power than noise, and a few more: what a roll-out
    must carry.

    As many more as the power took to fall as far again: nonlinear terms of what would be left out drive what is seen.
    More than `resolved` ones, whose motion can be told; all of them for an axis with walls.
    """
    found = []
    for axis, (n, side) in enumerate(zip(field.space_shape, field.boundary, strict=True)):
        highest = (n - 1) // 2
        if side == "periodic":
            spectrum = _slow_spectrum(field.values, axis, field)
            others = np.prod(field.space_shape) / n
            level = noise.reshape(field.n_runs, 1, -1, *(1,) * field.n_dims) * np.sqrt(n * others)
            share = np.abs(np.moveaxis(spectrum / level, 3 + axis, 0).reshape(spectrum.shape[3 + axis], -1)) ** 2
            chance = NOISE_UNSURE + N_SIGMAS / np.sqrt(share.shape[1])
            power = share.mean(axis=1)[: highest + 1] - 1.0
            seen, strong = (int(np.flatnonzero(power > limit).max(initial=1)) for limit in (chance, FALL * chance))
            highest = min(seen + max(FURTHER, seen - strong), highest)
        found.append(highest)
    return tuple(found)
