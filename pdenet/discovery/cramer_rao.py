"""The Cramer-Rao bound: how well any method could do on given data, when their starting states are unknown too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64

from pdenet.discovery.half_spectrum import HalfSpectrum, fourier_axes
from pdenet.discovery.likelihood import Problem
from pdenet.discovery.shooting import Shooting
from pdenet.discovery.tangent import System
from pdenet.discovery.windows import Windows
from pdenet.equations.equation import Equation
from pdenet.equations.terms import is_velocity
from pdenet.fields.field import Field

PRESENT = 1e-6  # amplitude of a wave number over the largest one's, from which the roll-out carries it


def cramer_rao_bound(
    clean: Field,
    truth: Sequence[Equation],
    noise: Float64[np.ndarray, "run channel"],
    *,
    n_times: int | None = None,
    device: torch.device,
) -> Float64[np.ndarray, "coefficient coefficient_"]:
    """Smallest covariance of unbiased estimates of the true equations' coefficients, those of the first one first.

    The inverse of the Fisher information P'P / sigma^2 at the truth, starting states eliminated (see `shooting`).
    clean: periodic data without noise, on which the true equations hold, u alone of equations of u_tt. noise: standard
    deviation that is added.
    n_times: snapshots after which the state is unknown anew; None for the whole run, the bound of all data.
    Raises Diverged if the equations cannot be run through the data.
    """
    clean = replace(clean, time_order=2 if any(is_velocity(equation.variable) for equation in truth) else 1)
    known = [Equation.of_motion(name) for name in clean.names if name not in clean.evolved]
    rows = [(c, term) for c, equation in enumerate((*known, *truth)) for term in equation.terms]
    values = [value for equation in (*known, *truth) for value in equation.coefficients]
    coefficients = torch.tensor(values, dtype=torch.float64, device=device)
    axes = fourier_axes(clean, _cutoffs(clean), max(term.degree for _, term in rows))
    spectrum = HalfSpectrum(clean.state_names, clean.axes, axes, device)
    windows = Windows.cut(clean, noise, n_times or clean.n_times, spectrum)
    problem = Problem(spectrum, windows).with_steps_for(rows, coefficients)
    system = System(spectrum, rows, coefficients)
    shooting = Shooting(system, windows, coefficients, windows.start, problem.n_substeps)
    information = shooting.linearised(range(len(known), len(rows)), None).information
    bound: Float64[np.ndarray, "coefficient coefficient_"] = torch.linalg.inv(information).cpu().numpy()
    return bound


def _cutoffs(clean: Field) -> tuple[int, ...]:
    """The largest wave number of each axis that is there at all."""
    found = []
    for axis, n in enumerate(clean.space_shape):
        spectrum = np.abs(np.fft.rfft(clean.values, axis=3 + axis)[..., :]).swapaxes(0, 3 + axis)
        size = spectrum.reshape(len(spectrum), -1).max(axis=1)[: (n - 1) // 2 + 1]
        found.append(max(int(np.flatnonzero(size > PRESENT * size.max()).max()), 1))
    return tuple(found)
