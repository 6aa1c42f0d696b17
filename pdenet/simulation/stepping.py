"""Steps and points chosen by the error they make: step doubling in time, a watch on the highest modes in space."""

from __future__ import annotations

import itertools
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

LADDER = sorted(base << k for base in (2, 3) for k in range(17))  # numbers of sub-steps: 2, 3, 4, 6, 8, 12, ...
START = 4
MIN_CHANNEL = 1e-2  # a channel that passes through zero is measured against this share of the largest one
SAME_PLACE = 0.02  # two trials that end within this share of the interval have met a blow-up, not an instability


def relative_error(y: Complex[Tensor, "run channel *mode"], reference: Complex[Tensor, "run channel *mode"]) -> float:
    """Largest distance of a run's channel from the reference, in the l2 norm of its coefficients."""
    space = tuple(range(2, y.ndim))
    distance = (y - reference).abs().square().sum(dim=space).sqrt()
    size = reference.abs().square().sum(dim=space).sqrt()
    size = torch.maximum(size, MIN_CHANNEL * size.amax(dim=1, keepdim=True))
    return float(torch.where(distance > 0, distance / size, 0.0).max())


class Stepper:
    """Advances a semi-linear system by ETDRK4 in n equal sub-steps, n such that n and n/2 agree to the tolerance.

    The error of the finer solution is estimated as |y_n - y_{n/2}| / 15 (order 4), relative, per call. smallest,
    largest: the sub-steps used so far.
    """

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.scheme = ETDRK4()
        self.n = START
        self.smallest = float("inf")
        self.largest = 0.0

    def advance(self, f: SemiLinear, y: Complex[Tensor, "run channel *mode"], t0: float, t1: float) -> Tensor:
        """The state at t1. Raises Diverged where the solution blows up, UntrustedResult if no step is small enough."""
        if f.nonlinear is nothing:
            return self.stepped(f, y, t0, t1, 1)
        lost_at = t1
        coarse: Tensor | None = None
        while True:
            n = self.n
            try:
                coarse = self.stepped(f, y, t0, t1, n // 2) if coarse is None else coarse
                fine = self.stepped(f, y, t0, t1, n)
            except Diverged as end:
                self.blown_up(end, abs(end.t - lost_at) < SAME_PLACE * (t1 - t0))
                lost_at, coarse = end.t, None
                self.n = self.grown(4 * n, t1)
                continue
            error = relative_error(coarse, fine) / 15
            wanted = n * (error / self.tolerance) ** 0.25
            if error <= self.tolerance:
                self.record((t1 - t0) / n)
                self.n = max(rung for rung in LADDER if rung <= max(1.25 * wanted, n / 2, LADDER[0]))
                self.n = n if self.n > n / 1.4 else self.n
                return fine
            coarse = fine if wanted <= 2 * n else None
            self.n = self.grown(2 * n if wanted <= 2 * n else wanted, t1)

    def stepped(self, f: SemiLinear, y: Tensor, t0: float, t1: float, n: int) -> Tensor:
        return integrate(Shared(f), y, Grid.uniform(t0, t1, n), self.scheme).ys

    def blown_up(self, end: Diverged, same_place: bool) -> None:
        if (same_place and self.n >= 64) or self.n >= LADDER[-1] // 4:
            raise Diverged(end.step, end.t, where="simulate", cure="stop before that time with a smaller --t-end")

    def grown(self, n: float, t1: float) -> int:
        """The next rung of at least n."""
        if n > LADDER[-1]:
            raise UntrustedResult(
                f"more than {LADDER[-1]} sub-steps do not reach the relative tolerance {self.tolerance:g} at t={t1:g}",
                where="simulate",
                cure="check the equation, or ask for --tolerance 1e-6",
            )
        return min(rung for rung in LADDER if rung >= n)

    def record(self, step: float) -> None:
        self.smallest = min(self.smallest, step)
        self.largest = max(self.largest, step)


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
