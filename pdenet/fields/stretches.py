"""A few stretches of snapshots in place of data that are too large to be looked at as a whole."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from backbone.errors import ResourceError
from pdenet.fields.field import Field
from pdenet.fields.memory import COPIES, UNITS, in_words

LENGTH = 24  # snapshots: the widest windows in time, and those of the likelihood, fit in
SHORTEST = 8
FEWEST = 5  # so that runs can be held out


def stretches(field: Field, n_bytes: int) -> Field:
    """As many stretches of the field as take `n_bytes`, spread evenly over its runs and times, each a run of its own.

    All of it if it is not larger. Raises ResourceError if five stretches of eight snapshots are too much.
    """
    if field.values.nbytes <= n_bytes:
        if isinstance(field.values, np.ndarray):
            return field
        return replace(field, values=np.stack([field.values[run, :] for run in range(field.n_runs)]))
    per_snapshot = field.values.nbytes // (field.n_runs * field.n_times)
    n_snapshots = n_bytes // per_snapshot
    shortest = min(SHORTEST, field.n_times)
    if n_snapshots < FEWEST * shortest:
        raise ResourceError(
            f"the memory that is left takes {n_snapshots} snapshots at once, {FEWEST * shortest} are needed: "
            f"each is {in_words(per_snapshot)}",
            where=f"{field.source}, --memory",
            cure=f"--memory {math.ceil(1 + (COPIES + 1) * FEWEST * shortest * per_snapshot / UNITS['G'])}G, "
            "or a coarser grid",
        )
    length = min(LENGTH, field.n_times, max(n_snapshots // FEWEST, shortest))
    per_run = field.n_times // length
    n = min(n_snapshots // length, field.n_runs * per_run)
    places = np.unique(np.linspace(0, field.n_runs * per_run - 1, n).round().astype(int))
    spare = field.n_times - per_run * length  # snapshots at the end of a run that belong to no stretch
    pieces = []
    for run, k in zip(*np.divmod(places, per_run), strict=True):
        start = int(k) * length + (spare if k == per_run - 1 else 0)
        pieces.append(field.values[int(run), start : start + length])
    return replace(field, values=np.stack(pieces))
