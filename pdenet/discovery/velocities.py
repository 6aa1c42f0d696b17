"""Velocities that were not measured, from polynomials in time: what a roll-out of u_tt = ... starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float64
from numpy.polynomial import legendre

from backbone.errors import InputError
from pdenet.discovery.collocation import TimeWindow
from pdenet.discovery.holdout import FEWEST_SNAPSHOTS
from pdenet.discovery.resolution import choose_collocation
from pdenet.fields.field import Field
from pdenet.fields.noise import noise_by_run


def with_velocities(data: Field) -> Field:
    """The whole state of data of second order in time: measured values, and velocities estimated at every snapshot.

    The velocity of a snapshot is the slope of the least-squares polynomial over the window of snapshots round it; the
    window is the one of least predicted error. Data of first order stay as they are. Raises InputError for a single
    snapshot.
    """
    if data.time_order == 1:
        return data
    if data.n_times < 2:
        raise InputError(
            "one snapshot does not tell how fast it moves, which an equation of u_tt starts from",
            where=data.source,
            cure="start from data of three snapshots or more",
        )
    slopes = np.einsum("ts,rs...->rt...", _slopes(_window(data), data.n_times, data.dt), data.values, optimize=True)
    return replace(data, values=np.concatenate([data.values, slopes], axis=2), names=data.state_names, time_order=1)


def _window(data: Field) -> TimeWindow:
    """For first derivatives, however few snapshots there are."""
    first = replace(data, time_order=1, boundary=("none",) * data.n_dims if data.has_gaps else data.boundary)
    if data.n_times < FEWEST_SNAPSHOTS:
        return TimeWindow(data.n_times, data.n_times - 1)
    return choose_collocation(first, noise_by_run(first), max_order=1, degree=1).window


def _slopes(window: TimeWindow, n_times: int, dt: float) -> Float64[np.ndarray, "time snapshot"]:
    """The matrix from the snapshots of a run to the slope at each."""
    fit = np.linalg.pinv(legendre.legvander(window.knots, window.degree))
    slopes = [legendre.legval(window.knots, legendre.legder(one)) for one in np.eye(window.degree + 1)]
    within = np.stack(slopes, axis=1) @ fit * 2.0 / ((window.width - 1) * dt)
    whole = np.zeros((n_times, n_times))
    for t in range(n_times):
        start = int(np.clip(t - window.width // 2, 0, n_times - window.width))
        whole[t, start : start + window.width] = within[t - start]
    return whole
