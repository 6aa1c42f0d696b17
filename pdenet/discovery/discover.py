"""From data to equations: hold some data out, climb the library, select, score by roll-out, refit on everything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float64

from pdenet.discovery.doubts import Doubt, at_rest, examine, flat_axes, raise_doubts
from pdenet.discovery.holdout import Split, hold_out
from pdenet.discovery.identifiability import Identifiability
from pdenet.discovery.ladder import Rung, climb, higher_rungs, rungs, widest_affordable
from pdenet.discovery.likelihood_fit import Likelihood, fit_by_likelihood
from pdenet.discovery.options import HELD_OUT
from pdenet.discovery.pareto import Candidate, pareto_table
from pdenet.discovery.powers import curves_left_over, misfit_left_over
from pdenet.discovery.refit import Fit, refit, sharpen
from pdenet.discovery.regression import Bounds, Setting
from pdenet.discovery.resolution import truncation_error
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.scoring import Measure, RollOuts, Scorers, make_scorers, root_mean_square
from pdenet.discovery.second_opinion import second_opinion
from pdenet.discovery.time_order import of_better_order
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.fields.memory import Memory
from pdenet.fields.noise import noise_by_run
from pdenet.fields.stretches import stretches

COARSE = 1e-4  # relative error of the slopes from which collocation is refined by shooting


@dataclass(frozen=True)
class Discovery:
    """The discovered equations and what speaks for them.

    equations: refitted on all data, with standard errors. fronts: candidates of each variable by number of terms, whose
    errors are those of `measure`. noise: estimated standard deviation of the measurement noise, by variable.
    error_over_time: roll-out error of the chosen system at each snapshot after a held-out start; empty where it cannot
    be rolled out or nothing was held out, and heldout_error nan. covariance: of all coefficients, those of the first
    equation first. identified: how well the data tell the terms from others. opinions: the equations in weak form,
    where that can be asked. likelihood: what its maximisation did, or why it was not done; by_likelihood: whether the
    coefficients are its. time_order: what equations of u_t and of u_tt leave unexplained, where both were asked for.
    doubts: why not to trust the equations. data: what decided them, all of the field or
    stretches of it.
    """

    equations: tuple[Equation, ...]
    fronts: Mapping[str, tuple[Candidate, ...]]
    measure: Measure
    noise: Mapping[str, float]
    order: int
    degree: int
    heldout_error: float
    error_over_time: tuple[float, ...]
    held_out: str
    covariance: Float64[np.ndarray, "coefficient coefficient_"]
    identified: Mapping[str, Identifiability]
    opinions: Mapping[str, Equation]
    likelihood: str
    by_likelihood: bool
    time_order: str
    doubts: tuple[Doubt, ...]
    data: Field


def discover(
    field: Field,
    *,
    order: int | None = None,
    degree: int | None = None,
    restrictions: Restrictions | None = None,
    second: Restrictions | None = None,
    holdout: float = HELD_OUT,
    memory: Memory | None = None,
    seed: int = 0,
    device: torch.device,
    progress: Callable[[str], None] = lambda text: None,
) -> Discovery:
    """Find the equation of every variable of the field.

    order, degree: bounds of the library; None lets the data decide (up to order 4 and degree 3). restrictions: what is
    known of the equations. second: the same of equations of u_tt, if these may be asked for where those of u_t leave
    much unexplained. holdout: share of the runs, or of the time of a few runs, to test on. memory: of data that are
    larger, stretches decide the equations; then the coefficients are fitted to all, window by window.
    Data with gaps are looked at point by point, as if every axis had walls; points near a gap are left out.
    Raises UsageError for a library or a share that cannot be, InputError if there are too few data, CannotTell if they
    are at rest or flat along an axis.
    """
    memory = memory or Memory.of()
    data = stretches(field, memory.for_data)
    if data.has_gaps:
        field, data = (replace(one, boundary=("none",) * one.n_dims) for one in (field, data))
    split = hold_out(data, holdout)
    progress("estimating the noise")
    noise = noise_by_run(data)
    raise_doubts([*at_rest(data), *flat_axes(data, noise)], data.source)
    generator = np.random.default_rng(seed)
    setting = Setting(noise_by_run(split.train), device, generator, progress, restrictions or Restrictions(), memory)
    first = _ask(split, order, degree, setting)
    other = replace(setting, restrictions=second or Restrictions())
    again = partial(_ask, split.of_second_order(), order, degree, other)
    answer, told = of_better_order(first, None if second is None else again, progress)
    split, bounds, setting = answer.split, answer.bounds, answer.setting
    field, data = (replace(one, time_order=split.train.time_order) for one in (field, data))
    selection, numbers = _climbed(field, data, answer, noise)
    fronts = selection.fronts if selection.scorers.measure == "roll-out" else {}
    progress("asking a second opinion")
    opinions = second_opinion(split.train, selection.found, setting)
    widest = widest_affordable(split.train, bounds, setting, beyond=True)
    chosen = _system(numbers.fit)
    identified, doubts = examine(split.train, selection.found, chosen, fronts, widest, numbers.likelihood)
    doubts += curves_left_over(split.train, selection.found, chosen, setting)
    doubts += misfit_left_over(data, chosen, numbers.likelihood.misfit)
    return Discovery(
        equations=numbers.fit.equations,
        fronts=selection.fronts,
        measure=selection.scorers.measure,
        noise=dict(zip(field.names, np.sqrt(np.mean(noise**2, axis=0)).tolist(), strict=True)),
        order=max(rung.order for rung in selection.found.values()),
        degree=max(rung.degree for rung in selection.found.values()),
        heldout_error=root_mean_square(numbers.errors),
        error_over_time=tuple(numbers.errors),
        held_out=split.words,
        covariance=numbers.fit.covariance,
        identified=identified,
        opinions=opinions,
        likelihood=numbers.likelihood.words,
        by_likelihood=numbers.likelihood.fit is not None,
        time_order=told,
        doubts=tuple(doubts),
        data=data,
    )


@dataclass(frozen=True)
class _Selection:
    """The rung of every equation, its candidates by size, and what scored them. is_coarse: whether snapshots are so
    far apart that polynomials in time miss something."""

    found: Mapping[str, Rung]
    fronts: Mapping[str, tuple[Candidate, ...]]
    scorers: Scorers
    is_coarse: bool


@dataclass(frozen=True)
class _Numbers:
    """The coefficients that are printed. errors: of held-out roll-outs by snapshot, none where there are none."""

    fit: Fit
    errors: Sequence[float]
    likelihood: Likelihood


@dataclass(frozen=True)
class _Answer:
    """The rung of every equation, and what was asked for it: of which data, within which bounds and setting."""

    split: Split
    bounds: Sequence[Bounds]
    setting: Setting
    found: Mapping[str, Rung]


def _ask(split: Split, order: int | None, degree: int | None, setting: Setting) -> _Answer:
    """Climb the library on the data to learn from."""
    bounds = rungs(split.train, order, degree, setting.restrictions)
    return _Answer(split, bounds, setting, climb(split.train, bounds, setting))


def _scored(answer: _Answer) -> _Selection:
    """The models of every size with their errors."""
    split, setting, found = answer.split, answer.setting, answer.found
    is_coarse = max(truncation_error(split.train, setting.noise, rung.collocation) for rung in found.values()) > COARSE
    scorers = make_scorers(split, found, setting.noise, coarse=is_coarse, device=setting.device)
    fronts = {name: pareto_table(name, found, scorers, setting.progress) for name in split.train.evolved}
    return _Selection(found, fronts, scorers, is_coarse)


def _climbed(
    field: Field, data: Field, answer: _Answer, noise: Float64[np.ndarray, "run channel"]
) -> tuple[_Selection, _Numbers]:
    """The selection and its coefficients, from larger libraries where the likelihood sees more than noise left.

    data: the field, or the stretches of it that fit in memory; noise: of these.
    """
    setting = replace(answer.setting, noise=noise)
    selection = _scored(answer)
    numbers = _coefficients(field, data, answer, selection, setting)
    for found in higher_rungs(answer.split.train, selection.found, answer.bounds, answer.setting):
        if not numbers.likelihood.asks_for_more:
            break
        setting.progress("more than noise is left: trying another library")
        higher = _scored(replace(answer, found=found))
        renewed = _coefficients(field, data, answer, higher, setting)
        if renewed.likelihood.explains_more_than(numbers.likelihood):
            selection, numbers = higher, renewed
    return selection, numbers


def _coefficients(field: Field, data: Field, answer: _Answer, selection: _Selection, setting: Setting) -> _Numbers:
    """Fit the chosen terms to all data: by regression, then by shooting or by maximum likelihood where that is better.

    data: the field, or the stretches of it that fit in memory. setting: with their noise.
    """
    found, scorers, split = selection.found, selection.scorers, answer.split
    fit = refit(field, found, setting.restrictions, setting.device)
    judge = scorers.heldout or scorers.insample
    errors = judge.errors({name: rung.chosen for name, rung in found.items()}) if isinstance(judge, RollOuts) else []
    # shots start from measured snapshots, which hold no velocities
    if selection.is_coarse and isinstance(judge, RollOuts) and field.time_order == 1:
        setting.progress("snapshots are far apart in time: refining by shooting")
        sharpened = sharpen(split.train, fit, judge.axes, setting.restrictions, setting.device)
        fit, errors = _better(fit, sharpened, judge, errors)
    likelihood = fit_by_likelihood(data, fit, found, answer.bounds, setting)
    setting.progress(f"likelihood {likelihood.words}")
    if likelihood.fit is not None:
        fit = likelihood.fit
        errors = judge.errors(_system(fit)) if isinstance(judge, RollOuts) else []
    return _Numbers(fit, errors if scorers.heldout is not None else [], likelihood)


def _better(fit: Fit, sharpened: Fit | None, judge: RollOuts, errors: list[float]) -> tuple[Fit, list[float]]:
    """The sharpened coefficients where they forecast better, with their errors; else all as it was."""
    if sharpened is None:
        return fit, errors
    renewed = judge.errors(_system(sharpened))
    return (sharpened, renewed) if np.linalg.norm(renewed) < np.linalg.norm(errors) else (fit, errors)


def _system(fit: Fit) -> dict[str, Equation]:
    return {equation.variable: equation for equation in fit.equations}
