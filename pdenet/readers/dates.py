"""Times given as dates: the step in the user's unit must be told, since coefficients take their unit from it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Shaped

from backbone.errors import InputError
from pdenet.readers.contents import inspect_command

KINDS = "mMO"  # of NumPy types: lengths of time, dates, and dates of other calendars


def are_dates(points: Shaped[np.ndarray, " point"]) -> bool:
    """Whether a coordinate holds dates or lengths of time."""
    return points.dtype.kind in KINDS


def seconds_since_first(points: Shaped[np.ndarray, " point"]) -> Float64[np.ndarray, " point"]:
    """Seconds between the first date and each."""
    gaps = points - points[0]
    if points.dtype.kind == "O":
        return np.array([gap.total_seconds() for gap in gaps.tolist()])
    return gaps / np.timedelta64(1, "s")


def no_unit(axis: str, step: float, source: str) -> InputError:
    """The error for dates that are `step` seconds apart."""
    return InputError(
        f"the coordinate {axis} holds dates, {step:g} s apart: which unit shall coefficients have?",
        where=f"{source}, coordinate {axis}",
        cure=f"{inspect_command(source, '--dt', f'{step:g}')} (the step in your unit; {step:g} is for seconds)",
    )
