"""Groups of equations whose residuals are about equally large: what selection weighs and counts as independent.

A group is one block of data (a run, or a stretch of time of a few runs) and one shell of wave numbers; between groups
the residual differs by orders of magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from pdenet.discovery.collocation import Collocation
from pdenet.fields.field import Field

MAX_BLOCKS, MAX_SHELLS = 32, 16
MIN_BLOCKS, MIN_SHELLS = 8, 6  # of data that have as many: fewer blocks would tell little of chance
GRAM_NUMBERS = 16_000_000  # numbers in the normal matrices of all groups together


@dataclass(frozen=True)
class Groups:
    """block: that of each window of each run. shell: that of each tested mode."""

    block: Int64[np.ndarray, "run window"]
    shell: Int64[np.ndarray, " mode"]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of blocks and of shells."""
        return int(self.block.max()) + 1, int(self.shell.max()) + 1

    @property
    def members(self) -> list[Int64[np.ndarray, " member"]]:
        """The modes of each shell."""
        return [np.flatnonzero(self.shell == s) for s in range(self.shape[1])]

    @classmethod
    def of(cls, field: Field, collocation: Collocation, n_columns: int) -> Groups:
        """Groups for a library of `n_columns`, fewer of them the larger it is."""
        affordable = GRAM_NUMBERS // n_columns**2
        n_shells = int(np.clip(affordable // MIN_BLOCKS, MIN_SHELLS, MAX_SHELLS))
        n_blocks = int(np.clip(affordable // n_shells, MIN_BLOCKS, MAX_BLOCKS))
        return cls(_blocks(field, collocation, n_blocks), _shells(collocation, n_shells))


def _shells(collocation: Collocation, max_shells: int) -> Int64[np.ndarray, " mode"]:
    """Shell of each tested mode: by the length of its wave vector, finer where wave numbers are small."""
    numbers = np.meshgrid(*[axis.wave_numbers for axis in collocation.axes], indexing="ij")
    radius = np.sqrt(np.sum(np.square(numbers, dtype=np.float64), axis=0)).ravel()
    edges = np.arange(1, int(radius.max()) + 1, dtype=np.float64) - 0.5
    if len(edges) >= max_shells:
        edges = np.unique(np.round(np.geomspace(1, radius.max(), max_shells))) - 0.5
    return np.searchsorted(edges, radius)


def _blocks(field: Field, collocation: Collocation, max_blocks: int) -> Int64[np.ndarray, "run window"]:
    """Block of each window: runs are blocks; a few runs are cut into stretches of time as well."""
    n_windows = len(collocation.window.starts(field.n_times))
    pieces = 1 if field.n_runs >= 8 else min(n_windows, -(-8 // field.n_runs))
    stretch = np.arange(n_windows) * pieces // n_windows
    block = np.arange(field.n_runs)[:, None] * pieces + stretch[None, :]
    found = field.n_runs * pieces
    return block if found <= max_blocks else block * max_blocks // found
