"""From data on several grids to one equation: normal equations summed, candidates run forward on each grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float64
from scipy.linalg import block_diag

from pdenet.discovery.collocation import Collocation
from pdenet.discovery.discover import Discovery
from pdenet.discovery.doubts import Doubt, at_rest, examine, flat_axes, raise_doubts
from pdenet.discovery.finer import finer
from pdenet.discovery.groups import Groups
from pdenet.discovery.holdout import Split, hold_out
from pdenet.discovery.ladder import Rung, climb, rungs, widest_affordable
from pdenet.discovery.likelihood_fit import Likelihood, fit_by_likelihood
from pdenet.discovery.normal_equations import NormalEquations, assemble, stacked
from pdenet.discovery.options import HELD_OUT
from pdenet.discovery.pareto import pareto_table
from pdenet.discovery.powers import curves_left_over
from pdenet.discovery.refit import Fit, fit_terms, widened
from pdenet.discovery.regression import Bounds, Setting
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.scoring import RollOuts, Scorer, Scorers, System, make_scorers, root_mean_square
from pdenet.discovery.time_order import of_better_order
from pdenet.discovery.together import Together, in_one_order
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field
from pdenet.fields.memory import Memory
from pdenet.fields.stretches import stretches

Found = Mapping[str, Rung]


@dataclass(frozen=True)
class OverGrids:
    """Scores a system on every grid by itself: the root mean square of the errors."""

    several: tuple[Scorer, ...]

    def error(self, system: System, name: str) -> float:
        """Of the system, where the equation of `name` is the one in question."""
        return root_mean_square([scorer.error(system, name) for scorer in self.several])


def discover_together(
    fields: Sequence[Field],
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
    """Find the equation of every variable of several fields, whose grids, steps and lengths in time may differ.

    The options are those of `discover`; a second opinion is not asked. Raises InputError where the variables or the
    numbers of axes differ, and what `discover` raises.
    """
    memory = memory or Memory.of()
    limit = memory.for_data // len(fields)
    data = Together.of([_walled_if_gaps(stretches(field, limit)) for field in in_one_order(fields)])
    raise_doubts(_of_all([at_rest(field) for field in data.fields]), data.source)
    flat = [flat_axes(field, noise) for field, noise in zip(data.fields, data.noise, strict=True)]
    raise_doubts(_of_all(flat), data.source)
    splits = [hold_out(field, holdout) for field in data.fields]
    generator = np.random.default_rng(seed)
    setting = Setting(data.noise[0], device, generator, progress, restrictions or Restrictions(), memory)
    first = _ask(data, splits, order, degree, setting)
    moving = [split.of_second_order() for split in splits]
    other = replace(setting, restrictions=second or Restrictions())
    again = partial(_ask, data.of_time_order(2), moving, order, degree, other)
    answer, told = of_better_order(first, None if second is None else again, progress)
    return _discovery(answer, told)


@dataclass(frozen=True)
class _Answer:
    """The rung of every equation, and what was asked for it: of which data, within which bounds and setting."""

    data: Together
    splits: Sequence[Split]
    train: Together
    bounds: Sequence[Bounds]
    setting: Setting
    found: Found


def _ask(data: Together, splits: Sequence[Split], order: int | None, degree: int | None, setting: Setting) -> _Answer:
    """Climb the library on the data to learn from."""
    train = Together.of([split.train for split in splits])
    bounds = rungs(train, order, degree, setting.restrictions)
    return _Answer(data, splits, train, bounds, setting, climb(train, bounds, setting))


def _discovery(answer: _Answer, told: str) -> Discovery:
    """Score, refit and doubt what was found."""
    data, train, found, setting = answer.data, answer.train, answer.found, answer.setting
    scorers = _scorers(answer.splits, train, found, setting.device)
    fronts = {name: pareto_table(name, found, scorers, setting.progress) for name in train.evolved}
    fit = refit_together(data, found, setting)
    likelihood = _likelihood(data, fit, found, answer.bounds, setting)
    setting.progress(f"likelihood {likelihood.words}")
    fit = likelihood.fit or fit
    chosen = {equation.variable: equation for equation in fit.equations}
    widest = widest_affordable(train, answer.bounds, setting, beyond=True)
    shown = fronts if scorers.measure == "roll-out" else {}
    identified, doubts = examine(answer.splits[0].train, found, chosen, shown, widest, likelihood)
    errors = _heldout_errors(scorers, chosen)
    return Discovery(
        equations=fit.equations,
        fronts=fronts,
        measure=scorers.measure,
        noise=_mean_noise(data),
        order=max(rung.order for rung in found.values()),
        degree=max(rung.degree for rung in found.values()),
        heldout_error=root_mean_square([error for row in errors for error in row]),
        error_over_time=tuple(errors[0]) if errors else (),
        held_out="; ".join(f"{split.words} of grid {k}" for k, split in enumerate(answer.splits, start=1)),
        covariance=fit.covariance,
        identified=identified,
        opinions={},
        likelihood=likelihood.words,
        by_likelihood=likelihood.fit is not None,
        time_order=told,
        doubts=(*doubts, *curves_left_over(train, found, chosen, setting)),
        data=data.fields[0],
    )


def _heldout_errors(scorers: Scorers, chosen: System) -> list[list[float]]:
    """Errors over time of the roll-outs on each grid."""
    judges = scorers.heldout.several if isinstance(scorers.heldout, OverGrids) else ()
    return [judge.errors(chosen) for judge in judges if isinstance(judge, RollOuts)]


def _walled_if_gaps(field: Field) -> Field:
    return replace(field, boundary=("none",) * field.n_dims) if field.has_gaps else field


def _of_all(doubts: Sequence[Sequence[Doubt]]) -> list[Doubt]:
    """The doubts that all grids raise: one that moves is enough."""
    kinds = [{(doubt.name, doubt.kind, doubt.what) for doubt in row} for row in doubts]
    return [doubt for doubt in doubts[0] if all((doubt.name, doubt.kind, doubt.what) in row for row in kinds)]


def _mean_noise(data: Together) -> dict[str, float]:
    squares = np.concatenate([noise**2 for noise in data.noise])
    return dict(zip(data.fields[0].names, np.sqrt(squares.mean(axis=0)).tolist(), strict=True))


def _scorers(splits: Sequence[Split], train: Together, found: Found, device: torch.device) -> Scorers:
    """Scores over all grids; of data held out, over those that could spare some."""
    by_grid = [
        make_scorers(split, _on_grid(found, k), noise, coarse=False, device=device)
        for k, (split, noise) in enumerate(zip(splits, train.noise, strict=True))
    ]
    heldout = tuple(scorers.heldout for scorers in by_grid if scorers.heldout is not None)
    measures = {scorers.measure for scorers in by_grid}
    return Scorers(
        insample=OverGrids(tuple(scorers.insample for scorers in by_grid)),
        heldout=OverGrids(heldout) if heldout else None,
        measure="roll-out" if measures == {"roll-out"} else "time derivative",
    )


def _on_grid(found: Found, k: int) -> dict[str, Rung]:
    return {name: rung.on_grid(k) for name, rung in found.items()}


def refit_together(data: Together, found: Found, setting: Setting) -> Fit:
    """The chosen terms of every variable fitted to the summed normal equations of all data."""
    fits = [_refit_one(data, name, found[name], setting) for name in data.evolved]
    return Fit(tuple(equation for equation, _ in fits), block_diag(*(block for _, block in fits)))


def _refit_one(
    data: Together, name: str, rung: Rung, setting: Setting
) -> tuple[Equation, Float64[np.ndarray, "coefficient coefficient_"]]:
    fixed = setting.restrictions.fixed.get(name, {})
    terms = (*rung.support, *fixed)
    closer = [finer(one, field.n_times) for one, field in zip(rung.collocations, data.fields, strict=True)]
    fits = [
        fit_terms(_summed(data, terms, collocations, setting).less(name, fixed), name, rung.support)
        for collocations in (rung.collocations, closer)
    ]
    free, block = widened(*fits) if rung.support else fits[0]
    whole = setting.restrictions.completed(free)
    covariance = block_diag(block, np.zeros((len(fixed),) * 2))
    places = sorted(range(len(terms)), key=lambda k: (whole.terms[k].order, str(whole.terms[k])))
    ordered = (tuple(row[k] for k in places) for row in (whole.terms, whole.coefficients, whole.errors))
    return Equation(whole.lhs, *ordered), covariance[np.ix_(places, places)]


def _summed(
    data: Together, terms: Sequence[Term], collocations: Sequence[Collocation], setting: Setting
) -> NormalEquations:
    """The normal equations of some terms on every grid."""
    several = []
    for field, collocation in zip(data.fields, collocations, strict=True):
        groups = Groups.of(field, collocation, len(terms) + len(field.state_names))
        several.append(assemble(field, terms, collocation, groups, device=setting.device))
    return stacked(several)


def _likelihood(data: Together, fit: Fit, found: Found, bounds: Sequence[Bounds], setting: Setting) -> Likelihood:
    """The greatest likelihood of each grid, joined where all of them keep the terms.

    The minimum of the sum of their quadratic models: coefficients weighted by the inverse of their covariances.
    """
    fits: list[Fit] = []
    words = []
    for k, (field, noise) in enumerate(zip(data.fields, data.noise, strict=True)):
        one = fit_by_likelihood(field, fit, _on_grid(found, k), bounds, replace(setting, noise=noise))
        words.append(one.words)
        fits += [one.fit] if one.fit is not None else []
    told = "; ".join(f"grid {k}: {text}" for k, text in enumerate(words, start=1))
    supports = {tuple(equation.terms for equation in one.equations) for one in (fit, *fits)}
    if len(fits) < len(data.fields) or len(supports) > 1:
        return Likelihood(None, f"not used ({told})")
    return Likelihood(joined(fits), told)


def joined(fits: Sequence[Fit]) -> Fit:
    """Fits of the same terms to independent data as one; what has no error stays."""
    first = fits[0]
    free = np.flatnonzero(np.diag(first.covariance) > 0.0)
    information = [np.linalg.inv(one.covariance[np.ix_(free, free)]) for one in fits]
    values = [np.array([c for equation in one.equations for c in equation.coefficients]) for one in fits]
    covariance = np.zeros_like(first.covariance)
    covariance[np.ix_(free, free)] = np.linalg.inv(np.sum(information, axis=0))
    best = values[0].copy()
    weighted = [matrix @ value[free] for matrix, value in zip(information, values, strict=True)]
    best[free] = covariance[np.ix_(free, free)] @ np.sum(weighted, axis=0)
    errors = np.sqrt(np.diag(covariance))
    equations, start = [], 0
    for equation in first.equations:
        stop = start + len(equation.terms)
        numbers = best[start:stop].tolist(), errors[start:stop].tolist()
        equations.append(Equation.of(equation.variable, equation.terms, *numbers))
        start = stop
    return Fit(tuple(equations), covariance)
