"""Data of a PDE with its units: values on a uniform grid, together with dt, dx, names and boundaries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Float64

from backbone.errors import InputError
from pdenet.equations.terms import is_velocity, velocity
from pdenet.fields.on_disk import OnDisk

Boundary = Literal["periodic", "none"]
SPACE_AXES = ("z", "y", "x")


def space_axes(n_dims: int) -> tuple[str, ...]:
    """Names of the space axes in array order: ("x",), ("y", "x") or ("z", "y", "x")."""
    return SPACE_AXES[3 - n_dims :]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One or several runs of a PDE on a uniform grid.

    values: float64, "run time channel *space", space in the order of `axes`; NaN is a gap. Those of data larger than
    memory stay on disk and are read as `values[run, start:stop]`.
    dt: time between snapshots. dx: spacing of each space axis, in the order of `axes`.
    names: one name per channel. boundary: per space axis, "periodic" (the end point is not repeated) or "none".
    t0, origin: coordinates of the first snapshot and of the first grid point. time_order: 1 where the values are the
    state of the system, 2 where their velocities belong to it as well but were not measured. known: variables that are
    inputs, without an equation of their own.

    Raises InputError if shapes and lengths do not fit together or names cannot be told from derivatives.
    """

    values: Float64[np.ndarray, "run time channel *space"] | OnDisk
    dt: float
    dx: tuple[float, ...]
    names: tuple[str, ...]
    boundary: tuple[Boundary, ...]
    t0: float = 0.0
    origin: tuple[float, ...] = ()
    time_order: Literal[1, 2] = 1
    known: tuple[str, ...] = ()
    source: str = field(default="memory", compare=False)

    def __post_init__(self) -> None:
        if not self.origin:
            object.__setattr__(self, "origin", (0.0,) * self.n_dims)
        lengths = {"dx": self.dx, "boundary": self.boundary, "origin": self.origin}
        for what, entries in lengths.items():
            if len(entries) != self.n_dims:
                raise InputError(
                    f"{what} has {len(entries)} entries for {self.n_dims} space axes {self.axes}",
                    where=self.source,
                    cure=f"give {what} once per space axis, in the order {', '.join(self.axes)}",
                )
        if len(self.names) != self.values.shape[2]:
            raise InputError(
                f"{len(self.names)} names {self.names} for {self.values.shape[2]} channels",
                where=self.source,
                cure="give one name per channel",
            )
        for name in self.names:
            if is_velocity(name) and name.removesuffix("_t") in self.names:
                continue
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[0-9]+)?", name) or name in {"t", "x", "y", "z"}:
                raise InputError(
                    f"'{name}' cannot name a variable: names are letters and digits, not a coordinate, "
                    "and an underscore would read as a derivative",
                    where=self.source,
                    cure=f"rename '{name}' to '{re.sub('[^A-Za-z0-9]', '', name) or 'u'}'",
                )

    @property
    def n_dims(self) -> int:
        """Number of space dimensions, 1 to 3."""
        return self.values.ndim - 3

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the space axes in array order."""
        return space_axes(self.n_dims)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The variables whose values decide what follows: those measured, and their velocities if need be."""
        return self.names if self.time_order == 1 else (*self.names, *map(velocity, self.names))

    @property
    def evolved(self) -> tuple[str, ...]:
        """The variables of the state whose equations are sought: all that are no inputs, or their velocities alone."""
        sought = tuple(name for name in self.names if name not in self.known)
        return sought if self.time_order == 1 else tuple(map(velocity, sought))

    @property
    def n_runs(self) -> int:
        """Number of independent runs."""
        return self.values.shape[0]

    @property
    def n_times(self) -> int:
        """Number of snapshots of each run."""
        return self.values.shape[1]

    @property
    def space_shape(self) -> tuple[int, ...]:
        """Grid points of each space axis."""
        return self.values.shape[3:]

    @property
    def lengths(self) -> tuple[float, ...]:
        """Extent of each space axis; a periodic axis counts the cell that closes it."""
        return tuple(
            h * (n if side == "periodic" else n - 1)
            for h, n, side in zip(self.dx, self.space_shape, self.boundary, strict=True)
        )

    @cached_property
    def has_gaps(self) -> bool:
        """Whether values are missing."""
        return bool(np.isnan(self.values).any())

    def times(self) -> Float64[np.ndarray, " time"]:
        """Time of each snapshot."""
        return self.t0 + self.dt * np.arange(self.n_times)

    def coordinates(self) -> dict[str, Float64[np.ndarray, " point"]]:
        """Grid points of each space axis, by axis name."""
        rows = zip(self.axes, self.origin, self.dx, self.space_shape, strict=True)
        return {axis: start + h * np.arange(n) for axis, start, h, n in rows}

    def select(self, *, runs: Sequence[int] | slice | None = None, times: slice | None = None) -> Field:
        """The same data with some of the runs and a stretch of the snapshots (step 1)."""
        values = self.values if runs is None else self.values[runs]
        first = 0 if times is None else times.indices(self.n_times)[0]
        values = values if times is None else values[:, times]
        return replace(self, values=values, t0=self.t0 + first * self.dt)
