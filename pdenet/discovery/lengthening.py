"""Longer windows: the fewer starting states are unknown, the more the same data tell about the coefficients.

Gauss-Newton finds its way through short windows from afar; from what it found there it goes on through windows twice
as long, up to whole runs. Where states diverge fast, as in chaos, the long way is not found, or not needed, and the
shorter windows have the last word. So they have where data are many: there they tell enough, and the long way, on which
starting states are found in ever more steps, would take many times as long as all before.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import Diverged
from pdenet.discovery.elimination import eliminate
from pdenet.discovery.likelihood import Maximum, Problem, maximise
from pdenet.discovery.windows import Windows
from pdenet.fields.field import Field

WORSE = 1.02  # misfit per degree of freedom over that of shorter windows, up to which the long way counts as found
MANY = 30_000_000  # numbers of roll-out and tangents: 128 x 128 x 100 of two variables took ten minutes and more


def lengthen(
    problem: Problem, maximum: Maximum, field: Field, noise: Float64[np.ndarray, "run channel"], n_candidates: int
) -> Maximum:
    """The maximum on windows as long as they can be, terms that do not count left out there.

    problem: where its windows are not all of the field's of their length, as memory is short, or are many, the maximum
    is returned as it is.
    """
    if problem.size(maximum.rows) > MANY:
        return maximum
    while problem.windows.n_times < field.n_times and len(problem.windows) == _count(field, problem.windows.n_times):
        n_times = _longer(field.n_times, problem.windows.n_times)
        windows = Windows.cut(field, noise, n_times, problem.spectrum)
        places = _places(field, problem.windows.n_times, n_times)
        try:
            # errors of time steps add up along the way, and terms that called for many of them may have gone
            longer = Problem(problem.spectrum, windows).with_steps_for(maximum.rows, maximum.coefficients)
            start = maximum.shooting.states(places)
            found = maximise(longer, maximum.rows, maximum.coefficients, maximum.free, start)
            if not found.converged or found.scale > WORSE * maximum.scale:
                break
            problem, maximum = longer, eliminate(longer, found, n_candidates)
        except (Diverged, torch.linalg.LinAlgError):
            break
    return maximum


def _longer(n_run: int, n_times: int) -> int:
    """Snapshots of windows at least twice as long: the run in as many equal parts as that allows."""
    return n_run // max(n_run // (2 * n_times), 1)


def _count(field: Field, n_times: int) -> int:
    return field.n_runs * (field.n_times // n_times)


def _places(field: Field, n_times: int, longer: int) -> list[tuple[int, int]]:
    """Where the longer windows begin: the shorter window and the snapshot in it."""
    begins = range(0, field.n_times - longer + 1, longer)
    return [(begin // n_times * field.n_runs + run, begin % n_times) for begin in begins for run in range(field.n_runs)]
