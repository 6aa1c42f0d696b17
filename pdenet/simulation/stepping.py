"""Steps and points chosen by the error they make: step doubling in time, a watch on the highest modes in space."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Complex
from torch import Tensor

from backbone.dynamics import SemiLinear, Shared
from backbone.errors import Diverged, UntrustedResult
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4
from pdenet.simulation.modes import Box, resize
from pdenet.simulation.semilinear import nothing, spectral_dynamics
from pdenet.syntax import System

LADDER = sorted(base << k for base in (2, 6) for k in range(17))  # numbers of steps: 2, 4, 6, 8, 12, 16, 24, ...
START = 4
MIN_CHANNEL = 1e-2  # a channel that passes through zero is measured against this share of the largest one
SAME_PLACE = 0.02  # two trials that end within this share of the interval have met a blow-up, not an instability
BLOW_UP_STEPS = 64  # fewer steps may just be too long ones


def relative_error(y: Complex[Tensor, "run channel *mode"], reference: Complex[Tensor, "run channel *mode"]) -> float:
    """Largest distance of a run's channel from the reference, in the l2 norm of its coefficients."""
    space = tuple(range(2, y.ndim))
    distance = (y - reference).abs().square().sum(dim=space).sqrt()
    size = reference.abs().square().sum(dim=space).sqrt()
    size = torch.maximum(size, MIN_CHANNEL * size.amax(dim=1, keepdim=True))
    return float(torch.where(distance > 0, distance / size, 0.0).max())


def rung(n: int | float, t: float) -> int:
    """The least number of steps on the ladder that is at least n; UntrustedResult above its top."""
    if n > LADDER[-1]:
        raise UntrustedResult(
            f"more than {LADDER[-1]} steps to the snapshot at t={t:g} do not reach the tolerance",
            where="simulate",
            cure="check the equation, or ask for --tolerance 1e-6",
        )
    return next(steps for steps in LADDER if steps >= n)


class Stepper:
    """Advances a semi-linear system by ETDRK4 in n equal steps, n such that n and n/2 agree to the tolerance.

    The relative error of the finer solution is estimated as |y_n - y_{n/2}| / (15 |y_n|), order 4, and n follows from
    it. smallest, largest: the steps used so far.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.scheme = ETDRK4()
        self.n = START
        self.smallest = math.inf
        self.largest = 0.0

    def advance(self, f: SemiLinear, y: Complex[Tensor, "run channel *mode"], t0: float, t1: float) -> Tensor:
        """The state at t1. Raises Diverged where the solution blows up, UntrustedResult if no step is small enough."""
        if f.nonlinear is nothing:
            return self.stepped(f, y, t0, t1, 1)
        n, coarse, lost_at = self.n, None, math.inf
        while True:
            try:
                coarse = self.stepped(f, y, t0, t1, n // 2) if coarse is None else coarse
                fine = self.stepped(f, y, t0, t1, n)
            except Diverged as end:
                if n >= BLOW_UP_STEPS and abs(end.t - lost_at) < SAME_PLACE * (t1 - t0):
                    cure = "stop before that time with a smaller --t-end, or check the signs"
                    raise Diverged(end.step, end.t, where="simulate", cure=cure) from end
                n, coarse, lost_at = rung(4 * n, t1), None, end.t
                continue
            wanted = n * (relative_error(coarse, fine) / 15 / self.tolerance) ** 0.25
            if wanted <= n:
                self.n = min(n, rung(max(1.25 * wanted, n / 2), t1))
                self.smallest = min(self.smallest, (t1 - t0) / n)
                self.largest = max(self.largest, (t1 - t0) / n)
                return fine
            n, coarse = (2 * n, fine) if wanted <= 2 * n else (rung(wanted, t1), None)

    def stepped(self, f: SemiLinear, y: Tensor, t0: float, t1: float, n: int) -> Tensor:
        """The state after n equal steps."""
        return integrate(Shared(f), y, Grid.uniform(t0, t1, n), self.scheme).ys


class March:
    """A system on a box, advanced from snapshot to snapshot; the box gets more points where the solution needs them.

    An interval whose end holds more than `tail` of its energy at the grid limit, and more than its start did, is
    done again on twice the points, up to `max_refine` times the first number. Linear systems need none.
    """

    def __init__(
        self, system: System, box: Box, *, tolerance: float, tail: float, max_refine: int, dtype: torch.dtype
    ) -> None:
        self.system = system
        self.first = box
        self.box = box
        self.stepper = Stepper(tolerance)
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
        """Every time and the coefficients there, on the box of that moment."""
        device = modes.device
        f = spectral_dynamics(self.system, self.box, device=device, dtype=self.dtype)
        self.energy = self.box.grid_limit_energy(modes)
        yield times[0], modes
        for t0, t1 in itertools.pairwise(times):
            while True:
                after = self.stepper.advance(f, modes, t0, t1)
                energy = self.box.grid_limit_energy(after)
                resolved = energy <= max(self.tail, self.energy) or f.nonlinear is nothing
                if resolved or self.refinement >= self.max_refine:
                    break
                finer = self.box.resized([2 * n for n in self.box.shape])
                modes, self.box = resize(modes, self.box, finer), finer
                f = spectral_dynamics(self.system, self.box, device=device, dtype=self.dtype)
            modes, self.energy = after, energy
            yield t1, modes
