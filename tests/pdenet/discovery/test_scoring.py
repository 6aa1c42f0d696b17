"""Roll-outs that score equations: as many time steps as noise lets converge."""

from __future__ import annotations

import math

import numpy as np
import torch

from pdenet.discovery.half_spectrum import fourier_axes
from pdenet.discovery.scoring import FINE_TOLERANCE, RollOuts, fine_tolerance
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

NOISE = 2e-6
KDV = {"u": Equation.parse("u_t = -6*u*u_x - 1*u_xxx")}


def two_solitons(n: int = 512, length: float = 60.0) -> Field:
    """u = 2 (log F)_xx of KdV (Hirota), tails of 1e-6 at the seam, with noise."""
    x, t = np.meshgrid(length / n * np.arange(n), 0.1 * np.arange(12))
    first, second = np.exp(1.2 * (x - 18) - 1.2**3 * t), np.exp(0.7 * (x - 30) - 0.7**3 * t)
    waves = [(0.0, np.ones_like(x)), (1.2, first), (0.7, second), (1.9, (0.5 / 1.9) ** 2 * first * second)]
    f, slope, curvature = (sum(k**order * wave for k, wave in waves) for order in range(3))
    values = 2 * (curvature / f - (slope / f) ** 2) + NOISE * np.random.default_rng(0).standard_normal(x.shape)
    return Field(values=values[None, :, None], dt=0.1, dx=(length / n,), names=("u",), boundary=("periodic",))


def test_waves_of_noise_that_turn_too_fast_for_any_number_of_steps_spoil_no_score() -> None:
    field = two_solitons()
    axes = fourier_axes(field, (255,), 2)

    def errors(tolerance: float) -> list[float]:
        return RollOuts(field, axes, 10, KDV, torch.device("cpu"), tolerance).errors(KDV)

    assert math.isinf(errors(FINE_TOLERANCE)[0])  # the reason for a coarser one: (2 pi 255 / 60)^3 dt is 1900 radians
    told = errors(fine_tolerance(field, np.array([[NOISE]])))
    # noise of both ends over the spread of u; twice that for what the steps leave
    most = 2 * math.sqrt(2) * NOISE / field.values.std()
    assert max(told) < most
    # noise that is estimated at half of what it is makes a tolerance that no number of steps reaches
    assert max(errors(fine_tolerance(field, np.array([[NOISE / 2]])))) < most


def test_clean_data_are_run_as_finely_as_ever() -> None:
    assert fine_tolerance(two_solitons(), np.array([[1e-12]])) == FINE_TOLERANCE
