"""The next finer discretisation of the same data: what changes with it is the error of the one that was used."""

from __future__ import annotations

from dataclasses import replace

from pdenet.discovery.collocation import Axis, Collocation, PeriodicAxis, TimeWindow

ORDERS = 2  # of dx, by which stencils become more accurate
FEWEST = 6  # points that must be left between walls


def finer(collocation: Collocation, n_times: int) -> Collocation:
    """Polynomials in time of one degree more, a wave number more on periodic axes, better stencils between walls.

    The polynomials are of one degree less where the runs are too short for more.
    """
    return Collocation(_window(collocation.window, n_times), tuple(map(_axis, collocation.axes)))


def _window(window: TimeWindow, n_times: int) -> TimeWindow:
    if window.degree + 1 < window.width:
        return replace(window, degree=window.degree + 1)
    if window.width < n_times:
        return replace(window, width=window.width + 1, degree=window.degree + 1)
    return replace(window, degree=max(window.degree - 1, window.time_order + 1))


def _axis(axis: Axis) -> Axis:
    if isinstance(axis, PeriodicAxis):
        if axis.cutoff >= (axis.n_points - 1) // 2:
            return axis
        n_factors = (axis.n_products - axis.tested - 1) // axis.cutoff
        return replace(axis, cutoff=axis.cutoff + 1, n_products=axis.n_products + n_factors)
    better = replace(axis, accuracy=axis.accuracy + ORDERS)
    # stencils that reach further leave fewer points, and these fewer waves
    return replace(better, tested=min(axis.tested, (better.n_inner - 1) // 3)) if better.n_inner > FEWEST else axis
