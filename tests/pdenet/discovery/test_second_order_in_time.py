"""Equations for u_tt from data in which only u was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import pdenet
from backbone.errors import InputError
from pdenet.discovery.collocation import TimeWindow
from pdenet.discovery.discover import Discovery, discover
from pdenet.discovery.rollout import explicit_steps
from pdenet.discovery.velocities import with_velocities
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

TRUTH = {"u": -1.0, "u**3": -1.0, "u_xx": 1.0}


def klein_gordon(noise: float = 0.0) -> Field:
    """u alone of two runs."""
    field = pdenet.simulate("klein-gordon", grid=64, runs=2, t_end=3.0, save_every=0.03, noise=noise, seed=3)
    return replace(field, time_order=2)


def found(field: Field) -> tuple[Discovery, Equation]:
    discovery = discover(field, device=torch.device("cpu"))
    (equation,) = discovery.equations
    assert {str(term) for term in equation.terms} == set(TRUTH)
    return discovery, equation


def misses(equation: Equation) -> list[float]:
    return [abs(c - TRUTH[str(term)]) for term, c in zip(equation.terms, equation.coefficients, strict=True)]


def test_klein_gordon_is_found() -> None:
    discovery, equation = found(klein_gordon())
    assert equation.lhs == "u_tt"
    assert max(misses(equation)) < 1e-5  # polynomials of degree 10 in time leave less of waves 20 snapshots long
    assert discovery.doubts == ()
    assert discovery.heldout_error < 1e-4  # velocities of the start are as exact


def test_noise_is_met_by_shooting_with_unknown_velocities() -> None:
    discovery, equation = found(klein_gordon(noise=0.02))
    assert "times that of the noise" in discovery.likelihood
    assert all(miss < 4.0 * error for miss, error in zip(misses(equation), equation.errors, strict=True))
    assert max(equation.errors) < 0.05  # 100 snapshots of 64 points at 2 %


@pytest.mark.parametrize(("width", "degree"), [(5, 2), (9, 4), (12, 8)])
def test_windows_are_exact_for_their_polynomials_and_one_more(width: int, degree: int) -> None:
    """At the points where the first polynomial that the fit lacks has no second derivative."""
    dt = 0.1
    window = TimeWindow(width, degree, 2)
    times = dt * np.arange(width)
    at = (window.points + 1.0) * 0.5 * (width - 1) * dt
    assert len(at) == degree - 1
    assert np.all(np.abs(window.points) < 1.0)
    power = degree + 1
    *_, curvature = window.operators(dt)
    exact = power * (power - 1) * at ** (power - 2)
    # rounding of times**power, magnified by the second difference
    np.testing.assert_allclose(curvature @ times**power, exact, rtol=1e-7, atol=1e-9)


def test_velocities_are_slopes_of_polynomials() -> None:
    times = np.arange(12) * 0.1
    values = (1.0 + times - times**2)[None, :, None, None] * np.sin(np.arange(16) * 2 * np.pi / 16)
    field = Field(values=values, dt=0.1, dx=(0.1,), names=("u",), boundary=("periodic",), time_order=2)
    whole = with_velocities(field)
    assert (whole.names, whole.time_order) == (("u", "u_t"), 1)
    exact = (1.0 - 2.0 * times)[:, None] * np.sin(np.arange(16) * 2 * np.pi / 16)
    np.testing.assert_allclose(whole.values[0, :, 1], exact, atol=1e-11)  # rounding over dt
    assert with_velocities(whole) is whole


def test_one_snapshot_has_no_velocity() -> None:
    with pytest.raises(InputError, match="how fast it moves"):
        with_velocities(klein_gordon().select(times=slice(0, 1)))


def test_explicit_steps_are_stable() -> None:
    """The fastest wave of u_tt = u_xx turns by k dt in a snapshot."""
    k = torch.arange(31, dtype=torch.float64)
    coupling = torch.zeros((2, 2, 31), dtype=torch.complex128)
    coupling[0, 1] = 1.0
    coupling[1, 0] = -(k**2).to(torch.complex128)
    assert explicit_steps(coupling, 0.4) == 5  # 30 * 0.4 / 2.5 = 4.8
    assert explicit_steps(0.0 * coupling, 0.4) == 1
