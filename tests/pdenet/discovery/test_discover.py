"""From fields to equations: the true terms, no other, with honest coefficients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from backbone.errors import InputError, UsageError
from pdenet.discovery.discover import Discovery, discover
from pdenet.discovery.holdout import hold_out
from pdenet.discovery.ladder import rungs
from pdenet.fields.field import Field

CPU = torch.device("cpu")


def terms(found: Discovery, k: int = 0) -> dict[str, float]:
    equation = found.equations[k]
    return {str(term): c for term, c in zip(equation.terms, equation.coefficients, strict=True)}


def demand(found: dict[str, float], truth: dict[str, float], tolerance: float) -> None:
    assert set(found) == set(truth)
    for term, value in truth.items():
        assert abs(found[term] - value) <= tolerance * abs(value), (term, found[term])


def test_heat_from_exact_data(heat: Field) -> None:
    found = discover(heat, device=CPU)
    demand(terms(found), {"u_xx": 0.1}, 5e-4)  # the bound
    assert found.heldout_error < 1e-6
    assert found.noise["u"] < 1e-6


def test_convection_diffusion_clean_and_noisy(advection: Field, noisy_advection: Field) -> None:
    truth = {"u_x": -0.8, "u_y": -0.5, "u_xx": 0.1, "u_yy": 0.1}
    demand(terms(discover(advection, device=CPU)), truth, 5e-4)
    found = discover(noisy_advection, device=CPU)
    demand(terms(found), truth, 0.05)  # 2 % noise on 8 runs of 12 snapshots: a few standard errors
    for value, error, exact in zip(
        found.equations[0].coefficients, found.equations[0].errors, truth.values(), strict=True
    ):
        assert error < 0.05 * abs(exact)
        assert abs(value - exact) < 5 * error
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), found.equations[0].errors, rtol=1e-12)


def test_burgers_with_its_pareto_front(burgers: Field) -> None:
    found = discover(burgers, device=CPU)
    demand(terms(found), {"u*u_x": -1.0, "u_xx": 0.1}, 5e-4)
    front = found.fronts["u"]
    picked = [row for row in front if row.chosen]
    assert [len(row.equation.terms) for row in front] == list(range(len(front)))
    assert len(picked) == 1
    assert picked[0].heldout_error < 0.01 * front[0].heldout_error
    assert np.all(np.diff([row.misfit for row in front]) <= 1e-9 * front[0].misfit)


def test_higher_order_is_climbed_to_only_where_needed() -> None:
    x, t = 2 * np.pi * np.arange(48) / 48, 0.004 * np.arange(16)
    generator = np.random.default_rng(6)
    values = np.zeros((6, 16, 1, 48))
    for run in range(6):
        for k in range(1, 6):
            phase = k * x + k**3 * t[:, None] + generator.uniform(0, 2 * np.pi)  # u_t = -u_xxx
            values[run, :, 0] += generator.standard_normal() * np.cos(phase)
    found = discover(Field(values=values, dt=0.004, dx=(x[1],), names=("u",), boundary=("periodic",)), device=CPU)
    demand(terms(found), {"u_xxx": -1.0}, 1e-3)
    assert (found.order, found.degree) == (3, 2)


def test_walls_need_no_periodicity(heat: Field) -> None:
    cut = replace(heat, values=heat.values[..., :20].copy(), boundary=("none",), origin=(0.0,))
    found = discover(cut, device=CPU, order=2)
    demand(terms(found), {"u_xx": 0.1}, 0.01)  # sixth-order stencils on 24 points a period
    assert np.isnan(found.heldout_error)


def test_held_out_data_are_not_learnt_from(heat: Field, noisy_advection: Field) -> None:
    split = hold_out(noisy_advection)
    train, held = split.train, split.held
    assert held is not None
    assert (train.n_runs, held.n_runs) == (7, 1)
    assert not any(np.array_equal(held.values[0], run) for run in train.values)
    split = hold_out(heat)
    train, held = split.train, split.held
    assert held is not None
    assert (train.n_times, held.n_times) == (10, 3)
    np.testing.assert_array_equal(train.values[:, -1], held.values[:, 0])


def test_same_seed_same_answer(noisy_advection: Field) -> None:
    first, second = (discover(noisy_advection, device=CPU, seed=3) for _ in range(2))
    assert first.equations == second.equations


def test_too_few_snapshots_and_too_large_libraries_are_refused(heat: Field) -> None:
    with pytest.raises(InputError, match="at least 3"):
        discover(heat.select(times=slice(0, 2)), device=CPU)
    names = tuple(f"u{k}" for k in range(12))
    wide = Field(values=np.zeros((1, 4, 12, 8)), dt=1.0, dx=(1.0,), names=names, boundary=("periodic",))
    with pytest.raises(UsageError, match="candidate terms"):
        rungs(wide, 4, 3)


def test_no_tensor_is_made_on_an_implicit_device(heat: Field) -> None:
    plain = discover(heat, device=CPU, order=2, degree=2)
    with torch.device("meta"):  # a tensor made without naming its device would hold no numbers
        named = discover(heat, device=CPU, order=2, degree=2)
    assert named.equations == plain.equations


def test_snapshots_too_coarse_for_polynomials_are_refined_by_shooting() -> None:
    from pdenet.simulation.spectral import solve

    x = 20.0 * np.arange(64) / 64
    initial = sum(2.0 * k**2 / np.cosh(k * (x - start)) ** 2 for k, start in ((1.0, 5.0), (0.7, 12.0)))[None, None]
    times = [0.08 * k for k in range(20)]
    values = solve(["u_t = -6*u*u_x - u_xxx"], initial, lengths=(20.0,), names=("u",), times=times)
    field = Field(values=values, dt=0.08, dx=(20.0 / 64,), names=("u",), boundary=("periodic",))
    found = discover(field, device=CPU, order=3, degree=2)
    demand(terms(found), {"u*u_x": -6.0, "u_xxx": -1.0}, 1e-3)  # the bound
    assert found.heldout_error < 1e-3
