"""The weak form in time: the equation is asked of averages over windows of snapshots, no derivative is taken in time.

Against psi(t) = (1 - s^2)^power on a window, s from -1 to 1, u_t = F becomes -sum psi' u = sum psi F. Both sums are
the trapezoid rule of a function that vanishes at both ends with its derivatives, whose error falls exponentially.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.discovery.collocation import Axis
from pdenet.fields.field import Field

FEWEST_SNAPSHOTS = 5  # narrower windows have no test function worth its name
MAX_WIDTH = 41
OVERLAP = 6  # windows that share a snapshot: more bring next to nothing new
ENOUGH_HISTORIES = 4000  # of points or modes, by which a window is chosen
AS_GOOD = 2.0  # predicted mean square errors within this factor are the same
NEGLIGIBLE = 1e-10  # relative mean square error below which no window is better than another


@dataclass(frozen=True)
class WeakWindow:
    """psi of one power over windows of `width` snapshots, normalised to sum psi^2 = 1."""

    width: int
    power: int

    def weights(self, dt: float) -> tuple[Float64[np.ndarray, " width"], Float64[np.ndarray, " width"]]:
        """psi and -psi' at the snapshots of a window, the latter scaled to be exact for a constant slope."""
        s = np.linspace(-1.0, 1.0, self.width)
        psi = (1.0 - s**2) ** self.power
        slope = 2.0 * self.power * s * (1.0 - s**2) ** (self.power - 1) * (2.0 / ((self.width - 1) * dt))
        # the sums agree exactly for u = t, so that all coefficients lose the greatest part of the quadrature error
        slope *= np.sum(psi) / np.sum(slope * s * ((self.width - 1) * dt / 2.0))
        size = np.sqrt(np.sum(psi**2))
        return psi / size, slope / size

    def starts(self, n_times: int) -> list[int]:
        """First snapshot of each window; the last one ends the run."""
        last = n_times - self.width
        return sorted({*range(0, last + 1, max(self.width // OVERLAP, 1)), last})

    def middles(self, field: Field) -> Float64[np.ndarray, " window"]:
        """The time that each window stands for."""
        return field.t0 + field.dt * (np.asarray(self.starts(field.n_times)) + (self.width - 1) / 2.0)


def choose_window(field: Field, noise: Float64[np.ndarray, "run channel"], axes: tuple[Axis, ...]) -> WeakWindow:
    """The narrowest window, for most equations, of those whose predicted error is about the least.

    The error is the variance of the noise over the number of windows, plus the square of the quadrature error. Raises
    InputError for fewer than 5 snapshots.
    """
    if field.n_times < FEWEST_SNAPSHOTS:
        raise InputError(
            f"{field.n_times} snapshots: coefficients that vary need at least {FEWEST_SNAPSHOTS}",
            where=field.source,
            cure="save more snapshots of each run",
        )
    histories, variance = _histories(field, noise, axes)
    widths = range(FEWEST_SNAPSHOTS, min(field.n_times, MAX_WIDTH) + 1)
    choices = [WeakWindow(width, power) for width in widths for power in range(2, width // 2 + 1)]
    errors = [max(_predicted_error(histories, variance, choice), NEGLIGIBLE) for choice in choices]
    good = [k for k, error in enumerate(errors) if error <= AS_GOOD * min(errors)]
    return choices[min(good, key=lambda k: (choices[k].width, errors[k]))]


def _histories(
    field: Field, noise: Float64[np.ndarray, "run channel"], axes: tuple[Axis, ...]
) -> tuple[Float64[np.ndarray, "time sample"], float]:
    """Histories of resolved waves, or of points where there are gaps, in units of the spread; their noise."""
    some = slice(None, None, max(field.n_runs // 8, 1))
    spread = np.nanstd(np.moveaxis(field.values, 2, 0).reshape(len(field.names), -1), axis=1) + 1e-300
    values = field.values[some] / spread.reshape(-1, *(1,) * field.n_dims)
    for k, axis in enumerate(axes):
        if not field.has_gaps:
            values = np.moveaxis(np.moveaxis(values, 3 + k, -1) @ axis.tested_values().T, -1, 3 + k)
    histories = np.moveaxis(values, 1, 0).reshape(field.n_times, -1)
    histories = histories[:, np.isfinite(histories).all(axis=0)]
    step = max(histories.shape[1] // ENOUGH_HISTORIES, 1)
    return histories[:, ::step], float(np.mean((noise[some] / spread) ** 2))


def _predicted_error(histories: Float64[np.ndarray, "time sample"], variance: float, choice: WeakWindow) -> float:
    """Relative mean square error of an averaged slope over the whole data.

    What -psi' u holds at the Nyquist frequency says how fast its spectrum falls; the trapezoid rule errs by what it
    holds at twice that frequency, another such fall.
    """
    psi, slope = choice.weights(1.0)
    starts = choice.starts(len(histories))
    sign = (-1.0) ** np.arange(choice.width)
    averages = np.mean([np.square(slope @ histories[s : s + choice.width]) for s in starts])
    fastest = np.mean([np.square((slope * sign) @ histories[s : s + choice.width]) for s in starts])
    noise = variance * float(slope @ slope)
    signal = max(float(averages) - noise, 1e-300)
    # windows overlap: those that count are as many as fit side by side
    n_windows = max(len(histories) / (np.sum(psi) ** 2), 1.0)
    quadrature = max(float(fastest) - 1.03 * noise, 0.0) / signal
    return noise / signal / (n_windows * histories.shape[1]) + quadrature**2
