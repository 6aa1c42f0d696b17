"""The last word on coefficients and terms: maximum likelihood from the equations that regression found."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from backbone.errors import Diverged
from pdenet.discovery.elimination import complete, eliminate, unexplained
from pdenet.discovery.half_spectrum import HalfSpectrum, fourier_axes
from pdenet.discovery.identifiability import Rival
from pdenet.discovery.ladder import Rung
from pdenet.discovery.lengthening import lengthen
from pdenet.discovery.likelihood import NEAR, Maximum, Problem, gone_on, maximise
from pdenet.discovery.likelihood_rivals import Peak
from pdenet.discovery.refit import Fit
from pdenet.discovery.regression import Bounds, Setting
from pdenet.discovery.resolution import seen_wave_numbers
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.tangent import Row
from pdenet.discovery.windows import Windows
from pdenet.equations.equation import Equation
from pdenet.equations.library import candidate_terms
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

# snapshots of a window, by order in time: longer ones tell more, but cost more and may be chaotic; in a short one an
# unknown velocity hides a force
LONGEST = {1: 20, 2: 100}
SHORT = 4  # snapshots of windows on which terms are exchanged
CLEAN = 1e-5  # noise over the spread of the data below which regression is as good
LARGEST_SCALE = 2.0  # misfit per degree of freedom above which data and equation differ by more than noise
MOST_NUMBERS = 150_000_000  # of the roll-out and its tangents that are held at once, 8 bytes each
MOST_AT_FIRST = 30_000_000  # of them for the first look at which terms count
TRIED = 4  # windows on which all is tried first, where there are
WORTH_A_TRIAL = 3  # times as many
HOPELESS = 20.0  # misfit per degree of freedom there, from which on all windows would not be explained either
MORE_THAN_NOISE = 0.1  # misfit per degree of freedom more than noise, from which larger libraries are asked
SHARE = 4  # of the memory that is free, one part of so many, for these
MOST_CANDIDATES = 150  # in all equations together, from which terms may join


@dataclass(frozen=True)
class Likelihood:
    """The fit of greatest likelihood, or None, and what was done or why it could not be.

    misfit: at the greatest likelihood, over that of noise; nan where it was not looked for. peak: of the fit.
    has_no_start: whether the equations to start from cannot be run through the data.
    """

    fit: Fit | None
    words: str
    misfit: float = math.nan
    peak: Peak | None = None
    has_no_start: bool = False

    @property
    def asks_for_more(self) -> bool:
        """Whether clearly more than noise is left, and not so much that regression would have seen it; or no start."""
        return self.has_no_start or 1.0 + MORE_THAN_NOISE < self.misfit < HOPELESS

    def explains_more_than(self, other: Likelihood) -> bool:
        """Whether there is a fit that leaves less, or any where the other has none."""
        return self.fit is not None and (other.fit is None or self.misfit < other.misfit)

    def undecided(self, name: str, rivals: Sequence[Rival]) -> Sequence[Rival]:
        """Those of the rivals in the equation of a variable that it does not decide either."""
        return rivals if self.peak is None else self.peak.undecided(name, rivals)

    def by(self, windows: str) -> Likelihood:
        """The same, of some of the windows."""
        return replace(self, words=f"by {windows} {self.words}")


def fit_by_likelihood(
    field: Field,
    fit: Fit,
    found: Mapping[str, Rung],
    bounds: Sequence[Bounds],
    setting: Setting,
) -> Likelihood:
    """Coefficients, and terms that count, of greatest likelihood when the starting states are unknown too.

    fit: where to start. found, bounds: the libraries that were decided on and those that could be; missing terms may
    join from them where the misfit is more than noise, unless the number of terms is bounded.
    """
    noise, restrictions = setting.noise, setting.restrictions
    obstacle = _obstacle(field, noise)
    if obstacle:
        return Likelihood(None, f"not maximised: {obstacle}")
    start = _start(field, fit.equations, setting)
    if not start.free:
        return Likelihood(None, "not maximised: nothing is left to fit")
    candidates = _candidates(field, found, bounds, restrictions)
    whole = _cut(field, noise, (*start.rows, *candidates), setting.device)
    most = min(MOST_NUMBERS, setting.memory.free // SHARE // 8)
    try:
        problem = whole.with_steps_for(start.rows, start.coefficients).within(start.rows, most)
        if problem.size(start.rows) > most:
            return Likelihood(None, "not maximised: a single window is larger than memory is meant for")
        # where velocities are unknown, short windows let any force pass and long ones take many minutes
        affordable = field.time_order == 1 and restrictions.max_terms is None and problem.size(candidates) <= most
        short = Windows.cut(field, noise, min(SHORT, field.n_times), whole.spectrum) if affordable else None
        others = [_start(field, equations, setting) for equations in _neighbours(field, found, restrictions)]
        search = _Search(start, others, candidates, short, len(whole.windows), setting.progress)
        hopeless = search.tried(problem)
        maximum = hopeless or search.best(problem)
        peak = Peak.of(field, problem, maximum)
        maximum = hopeless or lengthen(problem, maximum, field, noise, len(candidates))
    except (Diverged, torch.linalg.LinAlgError):
        return Likelihood(None, "not maximised: the equations cannot be run through the data", has_no_start=True)
    judged = _judged(maximum, fit, peak)
    asked = len(problem.windows) if hopeless is None else hopeless.shooting.n_windows
    return judged if asked == len(whole.windows) else judged.by(f"{asked} of {len(whole.windows)} windows")


@dataclass(frozen=True)
class _Start:
    """Equations to start from. free: rows whose coefficients are fitted."""

    rows: Sequence[Row]
    coefficients: Float64[Tensor, " row"]
    free: Sequence[int]


@dataclass(frozen=True)
class _Search:
    """Where to start, where else if that leaves more than noise, and how far to look.

    short: windows of n_windows on which terms are exchanged, None if none may join.
    """

    start: _Start
    others: Sequence[_Start]
    candidates: Sequence[Row]
    short: Windows | None
    n_windows: int
    progress: Callable[[str], None]

    def best(self, problem: Problem) -> Maximum:
        """The maximum with the terms that count."""
        return eliminate(problem, self._complete(problem), len(self.candidates))

    def tried(self, problem: Problem) -> Maximum | None:
        """The maximum on a few windows, if it leaves so much more than noise that all of them need not be asked."""
        if len(problem.windows) < WORTH_A_TRIAL * TRIED:
            return None
        trial = self._complete(replace(problem, windows=problem.windows.thinned(TRIED)))
        return trial if trial.scale > HOPELESS else None

    def _complete(self, problem: Problem) -> Maximum:
        """The maximum, terms exchanged where more than noise is left."""
        self.progress(f"maximising the likelihood on {len(problem.windows)} windows")
        maximum = self._elsewhere(problem, self._begun(problem, self.start))
        if self.short is None or unexplained(maximum) == 0.0:
            return maximum
        self.progress("more than noise is left: exchanging terms")
        share = len(problem.windows) / self.n_windows
        return _exchange(problem, maximum, self.candidates, self.short.thinned(round(share * len(self.short))))

    def _elsewhere(self, problem: Problem, maximum: Maximum) -> Maximum:
        """The best of the maxima from this and the other starts, as far as they can be run, until one is in no doubt.

        Wrong terms together lead into dead ends that fewer, or more, of them do not share. More than noise may be left
        there; where terms do each other's work it may be so little that only what fewer of them leave shows it.
        """
        for start in self.others:
            fewer = len(start.rows) < len(maximum.rows)
            if unexplained(maximum) == 0.0 and not (fewer and maximum.is_entangled):
                break
            self.progress(f"terms may be wrong: trying others, {len(start.rows)} in all")
            with suppress(Diverged, torch.linalg.LinAlgError):
                own = problem.with_steps_for(start.rows, start.coefficients)
                maximum = min(maximum, self._begun(own, start), key=lambda one: one.scale)
        return maximum

    def _begun(self, problem: Problem, start: _Start) -> Maximum:
        """The maximum, without terms that are seen on the way not to count: they need not be carried to its end.

        Of a large problem some of the windows show it.
        """
        few = problem.within(start.rows, MOST_AT_FIRST)
        near = maximise(few, start.rows, start.coefficients, start.free, few.windows.start, tolerance=NEAR)
        share = len(few.windows) / len(problem.windows)
        kept = near
        if unexplained(near) == 0.0:
            kept = eliminate(few, near, len(self.candidates), share=share)
        if share < 1.0:
            return maximise(problem, kept.rows, kept.coefficients, kept.free, problem.windows.start)
        return gone_on(problem, near) if kept is near else kept


def _cut(field: Field, noise: Float64[np.ndarray, "run channel"], rows: Sequence[Row], device: torch.device) -> Problem:
    """All of the data in windows, on waves that carry the products of all these terms."""
    highest = max(term.degree for _, term in rows)
    axes = fourier_axes(field, seen_wave_numbers(field, noise), highest)
    spectrum = HalfSpectrum(field.state_names, field.axes, axes, device)
    return Problem(spectrum, Windows.cut(field, noise, _window(field), spectrum))


def _start(field: Field, evolved: Sequence[Equation], setting: Setting) -> _Start:
    """The terms of all equations of the state, those of its velocities included, and their coefficients."""
    equations = [Equation.of_motion(name) for name in field.names if name not in field.evolved] + [*evolved]
    rows = [(c, term) for c, equation in enumerate(equations) for term in equation.terms]
    values = [value for equation in equations for value in equation.coefficients]
    free = [k for k, (c, term) in enumerate(rows) if _is_free(field.state_names[c], term, field, setting.restrictions)]
    return _Start(rows, torch.tensor(values, dtype=torch.float64, device=setting.device), free)


def _neighbours(field: Field, found: Mapping[str, Rung], restrictions: Restrictions) -> list[list[Equation]]:
    """What regression found with a term less in every equation, and, if there may be, with a term more."""
    changes = (-1, 1) if restrictions.max_terms is None else (-1,)
    sizes = [{name: found[name].front.chosen + change for name in field.evolved} for change in changes]
    return [
        [found[name].equation(size) for name, size in one.items()]
        for one in sizes
        if all(0 < size < len(found[name].front.models) for name, size in one.items())
    ]


def _judged(maximum: Maximum, before: Fit, peak: Peak) -> Likelihood:
    """The maximum as a fit if it explains the data, with what it changed in words. peak: on shorter windows."""
    if not maximum.converged or maximum.scale > LARGEST_SCALE:
        words = f"not used: its misfit is {maximum.scale:.3g} times that of the noise"
        return Likelihood(None, words, maximum.scale)
    fit = _as_fit(maximum, peak.field)
    words = [f"its misfit is {maximum.scale:.3g} times that of the noise"]
    for old, new in zip(before.equations, fit.equations, strict=True):
        dropped = [str(term) for term in old.terms if term not in new.terms]
        joined = [str(term) for term in new.terms if term not in old.terms]
        words += [f"{new.lhs} lost {', '.join(dropped)}"] if dropped else []
        words += [f"{new.lhs} gained {', '.join(joined)}"] if joined else []
    return Likelihood(fit, "; ".join(words), maximum.scale, peak)


def _candidates(
    field: Field, found: Mapping[str, Rung], bounds: Sequence[Bounds], restrictions: Restrictions
) -> list[Row]:
    """The terms of the chosen libraries, and of the larger ones as far as they are not too many."""
    general: tuple[Term, ...] = ()
    for order, degree in bounds if not restrictions.name_all(field.evolved) else ():
        library = candidate_terms(field.state_names, field.axes, order=order, degree=degree)
        together = tuple(dict.fromkeys((*general, *library)))
        general = together if len(together) * len(field.names) <= MOST_CANDIDATES else general
    rows = []
    for name in field.evolved:
        terms = dict.fromkeys((*found[name].front.terms, *restrictions.allowed(name, general)))
        rows += [(field.state_names.index(name), term) for term in terms]
    return rows


def _is_free(name: str, term: Term, field: Field, restrictions: Restrictions) -> bool:
    """Whether a coefficient of the equation of a variable of the state is to be fitted."""
    return name in field.evolved and term not in restrictions.fixed.get(name, {})


def _exchange(problem: Problem, maximum: Maximum, candidates: Sequence[Row], windows: Windows) -> Maximum:
    """Terms exchanged first on short windows, through which wrong equations run as well, then on the whole ones."""
    short = Problem(problem.spectrum, windows, problem.n_substeps)
    rough = maximise(short, maximum.rows, maximum.coefficients, maximum.free, windows.start)
    better = complete(short, rough, candidates)
    if set(better.rows) != set(maximum.rows):
        again = maximise(problem, better.rows, better.coefficients, better.free, problem.windows.start)
        maximum = again if again.scale < maximum.scale else maximum
    return complete(problem, maximum, candidates)


def _window(field: Field) -> int:
    """Snapshots of a window: the whole run, or as equal parts of it as can be."""
    return field.n_times // -(-field.n_times // LONGEST[field.time_order])


def _obstacle(field: Field, noise: Float64[np.ndarray, "run channel"]) -> str:
    """Why the likelihood cannot be maximised at all; empty if it can."""
    if field.has_gaps or any(side != "periodic" for side in field.boundary):
        return "the data have walls or gaps"
    if field.known:
        return f"no equation says how {' and '.join(field.known)} goes on"
    spread = np.std(np.moveaxis(field.values, 2, 0).reshape(len(field.names), -1), axis=1)
    if (noise < CLEAN * spread).any():
        return "the data are clean"
    return ""


def _as_fit(maximum: Maximum, field: Field) -> Fit:
    """Equations and covariance in the order in which they are printed."""
    asked = [field.state_names.index(name) for name in field.evolved]
    order = sorted((k for k, row in enumerate(maximum.rows) if row[0] in asked), key=lambda k: _place(maximum.rows[k]))
    covariance = np.zeros((len(maximum.rows),) * 2)
    covariance[np.ix_(maximum.free, maximum.free)] = maximum.covariance.cpu().numpy()
    covariance = covariance[np.ix_(order, order)]
    errors = np.sqrt(np.diag(covariance))
    values = maximum.coefficients[order].tolist()
    equations = []
    for channel, name in zip(asked, field.evolved, strict=True):
        mine = [k for k, row in enumerate(order) if maximum.rows[row][0] == channel]
        terms = tuple(maximum.rows[order[k]][1] for k in mine)
        equations.append(Equation.of(name, terms, [values[k] for k in mine], [errors[k].item() for k in mine]))
    return Fit(tuple(equations), covariance)


def _place(row: Row) -> tuple[int, int, str]:
    channel, term = row
    return channel, term.order, str(term)
