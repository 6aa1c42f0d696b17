"""The last step of discovery: what likelihood makes of equations that regression got wrong, and when it stands back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Float64

from pdenet.discovery.cramer_rao import cramer_rao_bound
from pdenet.discovery.ladder import climb, higher_rungs, rungs
from pdenet.discovery.lengthening import MANY
from pdenet.discovery.likelihood_fit import Likelihood, fit_by_likelihood
from pdenet.discovery.refit import Fit
from pdenet.discovery.regression import Setting
from pdenet.discovery.restrictions import Restrictions
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.simulation.experiment import simulate

CPU = torch.device("cpu")
NOISE = 0.02
TRUTH = Equation.parse("u_t = -1.0*u*u_x + 0.1*u_xx")


def noisy(field: Field) -> tuple[Field, np.ndarray]:
    deviation = NOISE * float(field.values.std())
    values = field.values + deviation * np.random.default_rng(0).standard_normal(field.values.shape)
    return replace(field, values=values), np.full((field.n_runs, 1), deviation)


@pytest.fixture(scope="module")
def few(burgers: Field) -> Field:
    return burgers.select(runs=[0, 1, 2])


@pytest.fixture(scope="module")
def bound(few: Field) -> Float64[np.ndarray, " term"]:
    """Smallest standard errors that the data allow."""
    return np.sqrt(np.diag(cramer_rao_bound(few, (TRUTH,), noisy(few)[1], device=CPU)))


def improved(
    field: Field, noise: np.ndarray, text: str, restrictions: Restrictions | None = None, *, chosen: int | None = None
) -> Likelihood:
    """chosen: how many terms selection takes, None for as many as it would."""
    restrictions = restrictions or Restrictions()
    start = Equation.parse(text)
    bounds = rungs(field, 2, 2, restrictions)
    setting = Setting(noise, CPU, np.random.default_rng(0), lambda told: None, restrictions)
    found = climb(field, bounds, setting)
    if chosen is not None:
        found = {name: replace(rung, front=replace(rung.front, chosen=chosen)) for name, rung in found.items()}
    n = len(start.terms)
    return fit_by_likelihood(field, Fit((start,), np.eye(n)), found, bounds, setting)


def coefficients(found: Likelihood) -> dict[str, float]:
    assert found.fit is not None, found.words
    (equation,) = found.fit.equations
    return dict(zip(map(str, equation.terms), equation.coefficients, strict=True))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("u_t = -0.9*u*u_x + 0.02*u**2 + 0.12*u_xx + 0.01*u_x", "lost"),
        ("u_t = -0.9*u*u_x", "gained u_xx"),
        ("u_t = -0.5*u_x", "gained u*u_x, u_xx"),
    ],
)
def test_false_terms_go_and_missing_ones_come(
    few: Field, bound: Float64[np.ndarray, " term"], text: str, told: str
) -> None:
    found = improved(*noisy(few), text)
    assert told in found.words
    values = coefficients(found)
    assert set(values) == {"u*u_x", "u_xx"}
    assert abs(values["u*u_x"] + 1.0) < 4 * bound[0]
    assert abs(values["u_xx"] - 0.1) < 4 * bound[1]


def test_where_wrong_terms_leave_more_than_noise_a_term_less_is_tried(few: Field) -> None:
    known = Restrictions(max_terms=3)  # so no terms are exchanged
    stuck, found = (improved(*noisy(few), "u_t = -0.5*u_x", known, chosen=n) for n in (2, 3))
    assert stuck.fit is None  # a term less than the truth is no better
    assert set(coefficients(found)) == {"u*u_x", "u_xx"}


def test_where_terms_do_each_others_work_a_term_less_is_tried_though_noise_is_all_that_is_left() -> None:
    # waves 4 and 5 decay by 0.1 k^2; -a u - b u_xxxx with a + b k^4 = 0.1 k^2 for both does the same
    x, t = np.arange(32) * (2 * np.pi / 32), np.linspace(0, 1, 41)[:, None]
    runs = [sum(np.exp(-0.1 * k**2 * t) * np.cos(k * (x + run)) for k in (4, 5)) for run in range(4)]
    field = Field(values=np.stack(runs)[:, :, None], dt=0.025, dx=(x[1],), names=("u",), boundary=("periodic",))
    b = 0.1 / (4**2 + 5**2)
    known = Restrictions.read(("u",), ("x",), terms="u,u_xx,u_xxxx")
    found = improved(*noisy(field), f"u_t = -{0.1 * 4**2 - b * 4**4}*u - {b}*u_xxxx", known, chosen=2)
    assert set(coefficients(found)) == {"u_xx"}


def test_fixed_coefficients_stay(few: Field) -> None:
    fixed = Restrictions.read(("u",), ("x",), fix="u_xx=0.1")
    found = improved(*noisy(few), "u_t = -0.9*u*u_x + 0.1*u_xx", fixed)
    assert coefficients(found)["u_xx"] == 0.1
    assert found.fit is not None
    assert found.fit.equations[0].errors[1] == 0.0
    assert found.fit.equations[0].errors[0] > 0.0


def test_says_why_it_is_not_done(few: Field) -> None:
    field, noise = noisy(few)
    text = "u_t = -u*u_x + 0.1*u_xx"
    assert improved(few, 1e-9 * noise, text).words == "not maximised: the data are clean"
    walled = replace(field, boundary=("none",))
    assert improved(walled, noise, text).words == "not maximised: the data have walls or gaps"
    explosive = improved(field, noise, "u_t = -u*u_x - 5.0*u_xx")
    assert explosive.words == "not maximised: the equations cannot be run through the data"
    assert explosive.fit is None
    assert explosive.asks_for_more


def test_a_fit_is_more_than_none_and_one_that_leaves_less_is_more(few: Field) -> None:
    field, noise = noisy(few)
    right, wrong = (improved(field, noise, text) for text in ("u_t = -u*u_x + 0.1*u_xx", "u_t = -u*u_x - 5.0*u_xx"))
    assert right.explains_more_than(wrong)
    assert not wrong.explains_more_than(right)
    assert replace(right, misfit=0.5 * right.misfit).explains_more_than(right)
    assert not right.asks_for_more


@pytest.mark.parametrize("many", [MANY, 0])
def test_long_runs_tell_more_than_the_windows_they_are_cut_into(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pdenet.discovery.lengthening.MANY", many)
    field = simulate("burgers", grid=64, runs=1, t_end=4.0, save_every=0.05, seed=3)
    values, noise = noisy(field)
    found = improved(values, noise, "u_t = -0.9*u*u_x + 0.12*u_xx + 0.01*u_x")
    whole, cut = (np.sqrt(np.diag(cramer_rao_bound(field, (TRUTH,), noise, n_times=n, device=CPU))) for n in (None, 16))
    assert found.fit is not None
    (equation,) = found.fit.equations
    assert coefficients(found).keys() == {"u*u_x", "u_xx"}
    # the runs are 81 snapshots, windows begin with 16: the errors are those of whole runs where the data are not too
    # many for them, up to the noise in them
    reached = whole if many else cut
    assert (np.array(equation.errors) < 1.2 * reached).all()
    assert (np.array(equation.errors) > 0.8 * reached).all()
    assert (whole < 0.7 * cut).all()
    # four standard errors
    assert (np.abs(np.array(equation.coefficients) - TRUTH.coefficients) < 4 * reached).all()


def test_what_no_terms_explain_is_given_up_after_a_few_windows() -> None:
    field = simulate(
        "u_t = -u*u_x + 0.1*u_xx + 2*sin(x)",
        grid=32,
        length="2pi",
        runs=12,
        t_end=0.2,
        save_every=0.02,
        init="random:modes=3,amplitude=1",
    )
    values, noise = noisy(field)
    found = improved(values, noise / 10.0, "u_t = -u*u_x + 0.1*u_xx", Restrictions(max_terms=2))
    assert found.fit is None
    assert found.words.startswith("by 4 of 12 windows not used: its misfit is ")
    assert found.misfit > 20.0


def test_other_libraries_begin_above_the_smallest_that_a_variable_stands_on() -> None:
    field = simulate(
        "u_t = 0.1*u_xx + v; v_t = 0.1*v_xx - u", grid=32, runs=4, t_end=1.0, save_every=0.1, noise=0.05, seed=4
    )
    setting = Setting(np.full((field.n_runs, 2), 0.05), CPU, np.random.default_rng(0), lambda told: None)
    bounds = rungs(field, None, None)
    found = climb(field, bounds, setting)
    led = {"u": replace(found["u"], order=4, degree=3), "v": replace(found["v"], order=2, degree=2)}
    # a rung is offered where it chooses other terms than those there are
    led = {name: replace(rung, front=replace(rung.front, chosen=0)) for name, rung in led.items()}
    first = next(higher_rungs(field, led, bounds, setting))
    assert {(rung.order, rung.degree) for rung in first.values()} == {bounds[1]}
    assert not list(higher_rungs(field, {"u": led["u"]}, bounds, setting))
