"""Refusal of equations whose short waves grow without bound, such as u_t = -0.1*u_xx."""

from __future__ import annotations

import itertools

import numpy as np
from jaxtyping import Complex128

from backbone.errors import UsageError
from pdenet.equations.expansion import expand
from pdenet.equations.syntax import InverseLaplacian, System
from pdenet.equations.terms import Factor
from pdenet.simulation.modes import Box
from pdenet.simulation.semilinear import variable

FAR = 64.0  # times the grid limit: there the highest derivatives decide


def linear_symbol(system: System, wave: dict[str, float]) -> Complex128[np.ndarray, "channel channel"]:
    """The matrix A(k) of the linear constant-coefficient terms: d c_k/dt = A(k) c_k, at wave numbers k by axis."""
    symbol = np.zeros((len(system.variables),) * 2, dtype=np.complex128)
    for row, node in enumerate(system.rates.values()):
        for monomial, coefficient in expand(node).items():
            match monomial:
                case (((Factor() | InverseLaplacian()) as leaf, 1),):
                    symbol[row, system.variables.index(variable(leaf))] += coefficient * _multiplier(leaf, wave)
    return symbol


def _multiplier(leaf: Factor | InverseLaplacian, wave: dict[str, float]) -> complex:
    if isinstance(leaf, InverseLaplacian):
        return -_multiplier(leaf.factor, wave) / sum(k**2 for k in wave.values())
    total = complex(1.0)
    for letter in leaf.derivative:
        total *= 1j * wave[letter]
    return total


def growth(system: System, wave: dict[str, float]) -> float:
    """The fastest growth rate of a small wave, from the linear terms."""
    return float(np.linalg.eigvals(linear_symbol(system, wave)).real.max())


def demand_well_posed(system: System, box: Box) -> None:
    """Raise UsageError if waves at the grid limit grow and ever shorter ones ever faster, in any direction."""
    limits = [np.pi * n / length for n, length in zip(box.shape, box.lengths, strict=True)]
    for direction in itertools.product((0.0, 1.0), repeat=len(limits)):
        if not any(direction):
            continue
        wave = {axis: d * k for axis, d, k in zip(box.axes, direction, limits, strict=True)}
        far_wave = {axis: FAR * k for axis, k in wave.items()}
        near, far = growth(system, wave), growth(system, far_wave)
        rounding = 1e-7 * float(np.abs(linear_symbol(system, far_wave)).max())  # of a double eigenvalue: sqrt(eps)
        if far > max(near, 0.0) * FAR**0.5 + rounding:
            rate, place = (near, "at") if near > 0 else (far, f"at {FAR:g} times")
            raise UsageError(
                f"ill-posed: short waves grow without bound, like exp({rate:.3g} t) {place} the grid limit",
                where="the linear terms of the equation",
                cure="change the sign of the highest even derivative, as in u_t = 0.1*u_xx",
            )
