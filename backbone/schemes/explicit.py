"""Explicit Runge-Kutta schemes. Tableaux: Hairer, Norsett, Wanner, Solving ODEs I, section II.1."""

from __future__ import annotations

import torch
from jaxtyping import Inexact
from torch import Tensor

from backbone.dynamics import VectorField
from backbone.schemes.scheme import Memory, Scheme


class Euler(Scheme):
    """Forward Euler, the residual block: y + h f(t, y). Order 1."""

    order = 1

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        return torch.add(y, f(t0, y), alpha=t1 - t0), memory.after(1)


class Midpoint(Scheme):
    """Explicit midpoint: y + h f(t + h/2, y + h/2 f(t, y)). Order 2."""

    order = 2

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        h = t1 - t0
        return y + h * f(t0 + h / 2, y + h / 2 * f(t0, y)), memory.after(2)


class Heun(Scheme):
    """Heun's explicit trapezoid: y + h/2 (k1 + k2), k2 = f(t + h, y + h k1). Order 2."""

    order = 2

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        h = t1 - t0
        k1 = f(t0, y)
        k2 = f(t1, y + h * k1)
        return y + h / 2 * (k1 + k2), memory.after(2)


class RK4(Scheme):
    """The classical Runge-Kutta scheme: y + h/6 (k1 + 2 k2 + 2 k3 + k4). Order 4."""

    order = 4

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        return classical(f, t0, t1, y, f(t0, y)), memory.after(4)


def classical(f: VectorField, t0: float, t1: float, y: Tensor, k1: Tensor) -> Tensor:
    """One classical Runge-Kutta step from y, whose slope k1 = f(t0, y) is known: three more evaluations."""
    h = t1 - t0
    k2 = f(t0 + h / 2, y + h / 2 * k1)
    k3 = f(t0 + h / 2, y + h / 2 * k2)
    k4 = f(t1, y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


class DormandPrince(Scheme):
    """The fifth-order scheme of Dormand and Prince, six stages; `Adaptive` chooses its steps. Order 5.

    Hairer, Norsett, Wanner, Solving ODEs I, table II.5.2, without the seventh stage that only the error estimate needs.
    """

    order = 5
    nodes = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
    stages = (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    )
    weights = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)

    def step(
        self, f: VectorField, t0: float, t1: float, y: Inexact[Tensor, " batch *state"], memory: Memory
    ) -> tuple[Inexact[Tensor, " batch *state"], Memory]:
        h = t1 - t0
        slopes: list[Tensor] = []
        for node, row in zip(self.nodes, self.stages, strict=True):
            inner = sum((h * a * k for a, k in zip(row, slopes, strict=True)), y)
            slopes.append(f(t0 + node * h, inner))
        y1 = sum((h * b * k for b, k in zip(self.weights, slopes, strict=True) if b), y)
        return y1, memory.after(6)
