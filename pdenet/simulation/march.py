"""From snapshot to snapshot, with as many stretches of time and as many points as the solution needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Complex
from torch import Tensor

from backbone.dynamics import SemiLinear
from backbone.errors import Diverged
from pdenet.equations.syntax import System
from pdenet.simulation.modes import Box, resize
from pdenet.simulation.semilinear import nothing, spectral_dynamics
from pdenet.simulation.stepping import LADDER, Stepper

MAX_HALVINGS = 12  # of the time between two snapshots: 262144 steps; from there on it is a blow-up
UNITS = 1 << MAX_HALVINGS


class March:
    """A system on a periodic box, advanced from snapshot to snapshot.

    Time: an interval is cut into 2^halvings stretches such that each takes at most 64 steps; their errors add up to
    the relative `tolerance`. Space: a stretch whose end holds more than `tail` of its energy at the grid limit, and
    more than its start did, is done again on twice the points, up to `max_refine` times the first number.
    """

    def __init__(
        self, system: System, box: Box, *, tolerance: float, tail: float, max_refine: int, dtype: torch.dtype
    ) -> None:
        self.system = system
        self.first = box
        self.box = box
        self.stepper = Stepper()
        self.halvings = 0
        self.tolerance = tolerance
        self.tail = tail
        self.max_refine = max_refine
        self.dtype = dtype
        self.energy = 0.0  # share at the grid limit, latest state

    @property
    def refinement(self) -> int:
        """Points of the present box for each of the first one, per axis."""
        return self.box.shape[-1] // self.first.shape[-1]

    def states(
        self, modes: Complex[Tensor, "run channel *mode"], times: Sequence[float]
    ) -> Iterator[tuple[float, Tensor]]:
        """Every time and the coefficients there, on the box of that moment. Raises Diverged at a blow-up."""
        self.energy = self.box.grid_limit_energy(modes)
        f = self.dynamics(modes)
        yield times[0], modes
        for t0, t1 in itertools.pairwise(times):
            place = 0  # in units of the interval
            while place < UNITS:
                unit = UNITS >> self.halvings
                start, end = (t0 + (t1 - t0) * k / UNITS for k in (place, place + unit))
                after = self.stepper.advance(f, modes, start, end, self.tolerance * unit / UNITS)
                if after is None:
                    self.halve(start, modes)
                elif self.resolved(after, f):
                    modes, place = after, place + unit
                    self.join(place)
                else:
                    finer = self.box.resized([2 * n for n in self.box.shape])
                    modes, self.box = resize(modes, self.box, finer), finer
                    f = self.dynamics(modes)
            yield t1, modes

    def dynamics(self, modes: Tensor) -> SemiLinear:
        """The system on the present box."""
        return spectral_dynamics(self.system, self.box, device=modes.device, dtype=self.dtype)

    def resolved(self, after: Tensor, f: SemiLinear) -> bool:
        """Whether the end of a stretch can stay as it is: linear waves do not mix and need no more points."""
        energy = self.box.grid_limit_energy(after)
        if energy <= max(self.tail, self.energy) or f.nonlinear is nothing or self.refinement >= self.max_refine:
            self.energy = energy
            return True
        return False

    def halve(self, t: float, modes: Tensor) -> None:
        """Take shorter stretches from now on, up to a limit."""
        self.halvings += 1
        if self.halvings > MAX_HALVINGS:
            cure = "stop before that time with a smaller --t-end, or check the signs"
            raise Diverged(self.stepper.taken, t, where="simulate", cure=cure, place=self.largest(modes))

    def largest(self, modes: Tensor) -> tuple[int, ...]:
        """Run, channel and nearest point of the first box where the field is largest."""
        values = self.box.to_points(modes).abs()
        run, channel, *place = np.unravel_index(int(values.argmax()), tuple(values.shape))
        nearest = (round(int(k) / self.refinement) % n for k, n in zip(place, self.first.shape, strict=True))
        return int(run), int(channel), *nearest

    def join(self, place: int) -> None:
        """Take longer stretches where a few steps are enough and two of them begin here."""
        few = self.stepper.n <= LADDER[-1] // 8
        if few and self.halvings and place % (2 * (UNITS >> self.halvings)) == 0:
            self.halvings -= 1
            self.stepper.n *= 2
