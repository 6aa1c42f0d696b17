"""Which data are learnt from, and which are kept to test on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backbone.errors import InputError, UsageError
from pdenet.discovery.options import HELD_OUT
from pdenet.fields.field import Field

ENOUGH_RUNS = 5  # from which whole runs are held out
FEWEST_SNAPSHOTS = 3  # of which a time derivative is made


@dataclass(frozen=True)
class Split:
    """train: to learn from. held: to test on, None if nothing can be spared. words: what was held out."""

    train: Field
    held: Field | None
    words: str

    def of_second_order(self) -> Split:
        """The same data, as parts of states whose velocities were not measured."""
        train = replace(self.train, time_order=2)
        return Split(train, None if self.held is None else replace(self.held, time_order=2), self.words)


def check_share(share: float) -> None:
    """Raise UsageError for a share that is not in 0..1."""
    if not 0.0 <= share < 1.0:
        raise UsageError(f"cannot hold out {share:g} of the data", where="--holdout", cure=f"--holdout {HELD_OUT}")


def hold_out(field: Field, share: float = HELD_OUT) -> Split:
    """Hold out a share of the runs, spread evenly, or the end of a few runs; at least 3 snapshots stay to learn from.

    Raises UsageError for a share that is not in 0..1, InputError for fewer than 3 snapshots.
    """
    check_share(share)
    if field.n_times < FEWEST_SNAPSHOTS:
        raise InputError(
            f"{field.n_times} snapshots: a time derivative needs at least {FEWEST_SNAPSHOTS}",
            where=field.source,
            cure="save more snapshots of each run",
        )
    if share == 0.0:
        return Split(field, None, "nothing, as asked")
    if field.n_runs >= ENOUGH_RUNS:
        # every fifth run for a share of 0.2; rounding must not move a whole number
        passed = np.floor(share * np.arange(field.n_runs + 1) + 1e-9)
        held = np.flatnonzero(np.diff(passed) > 0)
        train = np.setdiff1d(np.arange(field.n_runs), held)
        if len(held) and len(train):
            kept = field.select(runs=train.tolist())
            return Split(kept, field.select(runs=held.tolist()), f"{len(held)} of {field.n_runs} runs")
    n_train = max(field.n_times - max(round(share * field.n_times), 1), FEWEST_SNAPSHOTS)
    if n_train >= field.n_times:
        return Split(field, None, "nothing: too few snapshots")
    # the last snapshot learnt from starts the roll-outs into the held-out stretch
    held_out = field.select(times=slice(n_train - 1, field.n_times))
    words = f"the last {field.n_times - n_train} of {field.n_times} snapshots"
    return Split(field.select(times=slice(0, n_train)), held_out, words)
