"""Exponential time differencing for semi-linear dynamics: the stiff diagonal part is solved exactly."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import torch
from jaxtyping import Inexact
from torch import Tensor

from backbone.dynamics import SemiLinear, VectorField
from backbone.schemes.scheme import Memory, Scheme

N_CONTOUR = 32  # Kassam and Trefethen's number; the trapezoid rule on the unit circle errs by 1/32! here
N_KEPT = 4  # a step and its half, before and after a change of step


@dataclass(frozen=True, eq=False)
class EtdCoefficients:
    """The diagonal factors of one ETDRK4 step of length h with symbol `linear`, each of linear's shape.

    full, half: exp(hL), exp(hL/2). inner: weight of N in the stages. first, middle, last: weights of N in the update.
    """

    h: float
    linear: Tensor
    full: Tensor
    half: Tensor
    inner: Tensor
    first: Tensor
    middle: Tensor
    last: Tensor

    @classmethod
    def of(cls, linear: Tensor, h: float) -> EtdCoefficients:
        """Contour means of Kassam and Trefethen, SIAM J. Sci. Comput. 26 (2005), eq. (2.5) and section 3.

        z = hL: inner = h (e^{z/2}-1)/z, first = h (-4-z+e^z(4-3z+z^2))/z^3, middle = h (2+z+e^z(z-2))/z^3,
        last = h (-4-3z-z^2+e^z(4-z))/z^3, each the mean over a circle of radius 1 about z, so that z near 0
        loses no digit. Always computed in complex128, returned in linear's dtype.
        """
        z0 = h * linear.to(torch.complex128)
        angles = torch.arange(N_CONTOUR, dtype=torch.float64, device=linear.device)
        circle = torch.exp(2j * math.pi * (angles + 0.5) / N_CONTOUR)
        z = z0.unsqueeze(-1) + circle
        e = torch.exp(z)

        def mean(values: Tensor) -> Tensor:
            return as_linear(h * values.mean(-1))

        def as_linear(values: Tensor) -> Tensor:
            return (values if linear.is_complex() else values.real).to(linear.dtype)

        return cls(
            h=h,
            linear=linear,
            full=as_linear(torch.exp(z0)),
            half=as_linear(torch.exp(z0 / 2)),
            inner=mean((torch.exp(z / 2) - 1) / z),
            first=mean((-4 - z + e * (4 - 3 * z + z**2)) / z**3),
            middle=mean((2 + z + e * (z - 2)) / z**3),
            last=mean((-4 - 3 * z - z**2 + e * (4 - z)) / z**3),
        )

    def serve(self, linear: Tensor, t0: float, t1: float) -> bool:
        """Whether these are the factors of the step [t0, t1], up to the rounding of t1 - t0."""
        rounding = 4 * math.ulp(max(abs(t0), abs(t1)))
        return linear is self.linear and abs(t1 - t0 - self.h) <= rounding


class ETDRK4(Scheme):
    """Fourth-order exponential Runge-Kutta for dy/dt = L y + N(t, y), L diagonal. Order 4.

    a = e^{hL/2} y + inner N(y), b = e^{hL/2} y + inner N(a), c = e^{hL/2} a + inner (2 N(b) - N(y)),
    y+ = e^{hL} y + first N(y) + 2 middle (N(a) + N(b)) + last N(c). Cox and Matthews, J. Comput. Phys. 176 (2002),
    eqs. (26)-(29), with the coefficients of Kassam and Trefethen. The latest of these are kept, because they cost more
    than a step: equal steps with one symbol pay for them once, also over several calls of `integrate`.
    """

    order = 4
    requires = SemiLinear

    def __init__(self) -> None:
        super().__init__()
        self._kept: deque[EtdCoefficients] = deque(maxlen=N_KEPT)

    def coefficients(self, linear: Tensor, t0: float, t1: float) -> EtdCoefficients:
        """The factors of the step [t0, t1]; those of a learned symbol are never kept, for it changes in place."""
        if linear.requires_grad:
            return EtdCoefficients.of(linear, t1 - t0)
        for kept in self._kept:
            if kept.serve(linear, t0, t1):
                return kept
        self._kept.append(EtdCoefficients.of(linear, t1 - t0))
        return self._kept[-1]

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        assert isinstance(f, SemiLinear)
        e = self.coefficients(f.linear, t0, t1)
        n, t_half = f.nonlinear, t0 + (t1 - t0) / 2
        n_y = n(t0, y)
        drift = e.half * y
        a = drift + e.inner * n_y
        n_a = n(t_half, a)
        n_b = n(t_half, drift + e.inner * n_a)
        n_c = n(t1, e.half * a + e.inner * (2 * n_b - n_y))
        y1 = e.full * y + e.first * n_y + 2 * e.middle * (n_a + n_b) + e.last * n_c
        return y1, memory.after(4)
