"""Rivals of a term, asked again by the likelihood: decided where the data tell, and left where nothing could."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pdenet.discovery.identifiability import Rival
from pdenet.discovery.ladder import climb, rungs
from pdenet.discovery.likelihood_fit import Likelihood, fit_by_likelihood
from pdenet.discovery.refit import Fit
from pdenet.discovery.regression import Setting
from pdenet.discovery.restrictions import Restrictions
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.simulation.experiment import simulate

NOISE = 0.02


def fitted(field: Field, text: str) -> Likelihood:
    """The greatest likelihood of an equation on the field with noise."""
    deviation = NOISE * float(field.values.std())
    values = field.values + deviation * np.random.default_rng(0).standard_normal(field.values.shape)
    field, start = replace(field, values=values), Equation.parse(text)
    noise = np.full((field.n_runs, 1), deviation)
    restrictions = Restrictions()
    setting = Setting(noise, torch.device("cpu"), np.random.default_rng(0), lambda told: None, restrictions)
    bounds = rungs(field, 2, 2, restrictions)
    n = len(start.terms)
    return fit_by_likelihood(field, Fit((start,), np.eye(n)), climb(field, bounds, setting), bounds, setting)


def rival(chosen: str, other: str) -> Rival:
    """As regression may name one: what it says of correlation and separation is not asked again."""
    equation = Equation.parse(f"u_t = 1.0*{other}")
    return Rival(equation.terms[0], Equation.parse(f"u_t = 1.0*{chosen}").terms[0], 0.0, 0.0, equation)


def test_likelihood_decides_what_noise_hides_from_regression(burgers: Field) -> None:
    found = fitted(burgers.select(runs=[0, 1, 2]), "u_t = -1.0*u*u_x + 0.1*u_xx")
    named = [rival("u_xx", "u_xxxx"), rival("u_xx", "u"), rival("u*u_x", "u_x"), rival("u*u_x", "u**2*u_x")]
    assert found.fit is not None, found.words
    assert tuple(found.undecided("u", named)) == ()


def test_of_a_single_wave_nothing_is_decided() -> None:
    wave = simulate("u_t = 0.1*u_xx", grid=32, length=2 * np.pi, runs=4, t_end=2.0, save_every=0.02, init="sine")
    found = fitted(wave, "u_t = 0.1*u_xx")
    named = [rival("u_xx", "u"), rival("u_xx", "u_xxxx")]
    assert found.fit is not None, found.words
    assert list(found.undecided("u", named)) == named


def test_without_a_likelihood_the_rivals_stay() -> None:
    named = [rival("u_xx", "u")]
    assert Likelihood(None, "not maximised: the data are clean").undecided("u", named) is named


def test_no_rival_is_no_question(burgers: Field) -> None:
    found = fitted(burgers.select(runs=[0]), "u_t = -1.0*u*u_x + 0.1*u_xx")
    assert tuple(found.undecided("u", [])) == ()
