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
        h = t1 - t0
        k1 = f(t0, y)
        k2 = f(t0 + h / 2, y + h / 2 * k1)
        k3 = f(t0 + h / 2, y + h / 2 * k2)
        k4 = f(t1, y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), memory.after(4)
