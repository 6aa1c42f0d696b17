"""Time steps chosen by the error they make: the same stretch of time in n and in n/2 steps."""

from __future__ import annotations

import math

import torch
from jaxtyping import Complex
from torch import Tensor

from backbone.dynamics import SemiLinear, Shared
from backbone.errors import Diverged
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4
from pdenet.simulation.semilinear import nothing

LADDER = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # numbers of steps of one stretch, so that few step sizes occur
START = 4
MIN_CHANNEL = 1e-2  # a channel that passes through zero is measured against this share of the largest one
ROUNDING = 1e-13  # relative: no stretch is asked for more


def relative_error(y: Complex[Tensor, "run channel *mode"], reference: Complex[Tensor, "run channel *mode"]) -> float:
    """Largest distance of a run's channel from the reference, in the l2 norm of its coefficients."""
    space = tuple(range(2, y.ndim))
    distance = (y - reference).abs().square().sum(dim=space).sqrt()
    size = reference.abs().square().sum(dim=space).sqrt()
    size = torch.maximum(size, MIN_CHANNEL * size.amax(dim=1, keepdim=True))
    return float(torch.where(distance > 0, distance / size, 0.0).max())


class Stepper:
    """Advances a semi-linear system by ETDRK4 in n equal steps, n such that n and n/2 agree to a tolerance.

    The relative error of the finer solution is estimated as |y_n - y_{n/2}| / (15 |y_n|), order 4, and n follows from
    it. n: steps to try next. taken: steps so far; smallest, largest: their sizes.
    """

    def __init__(self) -> None:
        self.scheme = ETDRK4()
        self.n = START
        self.taken = 0
        self.smallest = math.inf
        self.largest = 0.0

    def advance(
        self, f: SemiLinear, y: Complex[Tensor, "run channel *mode"], t0: float, t1: float, tolerance: float
    ) -> Complex[Tensor, "run channel *mode"] | None:
        """The state at t1, or None if 64 steps are too few for the tolerance."""
        if f.nonlinear is nothing:
            return self.stepped(f, y, t0, t1, 1)
        tolerance = max(tolerance, ROUNDING)
        n, coarse = self.n, None
        while n <= LADDER[-1]:
            try:
                coarse = self.stepped(f, y, t0, t1, n // 2) if coarse is None else coarse
                fine = self.stepped(f, y, t0, t1, n)
            except Diverged:
                n, coarse = 4 * n, None
                continue
            wanted = n * (relative_error(coarse, fine) / 15 / tolerance) ** 0.25
            if wanted <= n:
                self.accept(n, wanted, (t1 - t0) / n)
                return fine
            n, coarse = (2 * n, fine) if wanted <= 2 * n else (rung(wanted), None)
        self.n = LADDER[-1] // 2
        return None

    def stepped(self, f: SemiLinear, y: Tensor, t0: float, t1: float, n: int) -> Tensor:
        """The state after n equal steps."""
        return integrate(Shared(f), y, Grid.uniform(t0, t1, n), self.scheme).ys

    def accept(self, n: int, wanted: float, step: float) -> None:
        """Count the steps, and set the number to start from next time: no fewer than half of this one."""
        self.taken += n
        self.n = min(n, rung(max(1.25 * wanted, n / 2)))
        self.smallest = min(self.smallest, step)
        self.largest = max(self.largest, step)


def rung(n: float) -> int:
    """The least number of steps on the ladder that is at least n, or one beyond its top."""
    return next((steps for steps in LADDER if steps >= n), 2 * LADDER[-1])
