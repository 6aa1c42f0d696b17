"""Why an equation is not to be trusted, and the experiment that would decide, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.identifiability import CannotTell, Identifiability, Rival, identify
from pdenet.discovery.ladder import Rung
from pdenet.discovery.likelihood_fit import Likelihood
from pdenet.discovery.pareto import Candidate
from pdenet.discovery.regression import Regression
from pdenet.equations.equation import Equation
from pdenet.equations.printing import shortened
from pdenet.equations.terms import Factor, Term, rate
from pdenet.fields.field import Field

AT_REST = 1e-9  # share of its size by which a variable must change to be learnt from
FLAT = 1.1  # variance along an axis, in units of that of the noise, below which only noise is seen along it
WAVE_SEEN = 1e-6  # share of the variance along an axis that makes a wave number one of those that the data hold
TOO_LONG = 0.5  # change from snapshot to snapshot, over the spread, that long time steps are blamed for
SMOOTH = 0.25  # such a change of well resolved data
WORSE = 1.1  # times the error of "nothing changes" from which an equation foretells nothing
MOST_TOLD = 3  # doubts, rivals of one term, and equations, that are spelt out
MAX_CHARACTERS = 160  # of an equation in a doubt

Kind = Literal["at rest", "flat", "nothing significant", "rivals", "fixed shape", "no forecast", "outside the library"]


@dataclass(frozen=True)
class Doubt:
    """Why the equation of a variable is not to be trusted. experiment: what would decide it."""

    name: str
    kind: Kind
    what: str
    experiment: str

    def as_dict(self) -> dict[str, str]:
        """The machine-readable form."""
        return {"variable": self.name, "kind": self.kind, "what": self.what, "experiment": self.experiment}


def raise_doubts(doubts: Sequence[Doubt], source: str) -> None:
    """Raise CannotTell if there are any; a long list of them by its beginning."""
    if doubts:
        told, left = doubts[:MOST_TOLD], len(doubts[MOST_TOLD:])
        what = "; ".join(dict.fromkeys(doubt.what for doubt in told))
        what += f"; and {left} more {'doubt' if left == 1 else 'doubts'} like these" if left else ""
        cure = "; ".join(dict.fromkeys(doubt.experiment for doubt in told))
        raise CannotTell(f"these data cannot tell: {what}", where=source, cure=cure)


def examine(
    data: Field,
    found: Mapping[str, Rung],
    chosen: Mapping[str, Equation],
    fronts: Mapping[str, Sequence[Candidate]],
    widest: Regression,
    likelihood: Likelihood,
) -> tuple[dict[str, Identifiability], list[Doubt]]:
    """What the data say about the terms of each equation, and every reason not to trust them.

    chosen: the equations that are printed. fronts: scored by roll-outs, or empty. widest: the largest library on the
    data. likelihood: has the last word on rivals where it was maximised.
    """
    identified: dict[str, Identifiability] = {}
    doubts = []
    for name, rung in found.items():
        equations = widest.of(name)
        support = [term for term in chosen[name].terms if term in equations.terms]
        told = identify(equations, name, support, widest.noise_power)
        identified[name] = replace(told, undecided=tuple(likelihood.undecided(name, told.undecided)))
        if not chosen[name].terms:
            doubts.append(nothing_found(data, name, rung))
        reasons = undecided(data, name, identified[name], chosen[name])
        if not reasons and any(_is_no_forecast(row, fronts[name][0]) for row in fronts.get(name, ()) if row.chosen):
            reasons = [no_forecast(data, name)]
        doubts += reasons
    return identified, doubts


def _is_no_forecast(chosen: Candidate, nothing: Candidate) -> bool:
    """Whether a model is clearly worse than that nothing changes; noise in the starts makes both alike."""
    return bool(chosen.equation.terms) and chosen.heldout_error > WORSE * nothing.heldout_error


def at_rest(data: Field) -> list[Doubt]:
    """Variables that do not change in time."""
    doubts = []
    for channel, name in enumerate(data.names):
        if name in data.known:
            continue
        values = data.values[:, :, channel]
        change = np.nanmax(np.abs(values - values[:, :1]))
        size = np.nanmax(np.abs(values))
        if change <= AT_REST * size:
            what = f"{name} does not change in time" if size > 0.0 else f"{name} is zero everywhere"
            doubts.append(Doubt(name, "at rest", what, f"record {name} while it changes: another start, or earlier"))
    return doubts


def flat_axes(data: Field, noise: Float64[np.ndarray, "run channel"]) -> list[Doubt]:
    """Axes along which no variable varies by more than noise: nothing along them can be seen."""
    doubts = []
    for k, axis in enumerate(data.axes):
        spread = np.nanvar(data.values, axis=3 + k)
        others = tuple(range(3, spread.ndim))
        variance = np.nanmean(spread, axis=(1, *others))
        rounding = (AT_REST * np.nanmax(np.abs(data.values))) ** 2
        if np.all(variance <= FLAT * noise**2 + rounding):
            names = " and ".join(data.names) + (" do" if len(data.names) > 1 else " does")
            what = f"{names} not vary along {axis}: no derivative along it can be seen"
            doubts.append(Doubt(data.names[0], "flat", what, f"add a start that varies along {axis}"))
    return doubts


def nothing_found(data: Field, name: str, rung: Rung) -> Doubt:
    """No equation is credible: the strongest terms, and what may hide the right ones."""
    front = rung.front
    alone = ", ".join(f"{term} (|t| {size:.2g})" for term, size in front.alone)
    rejected = f"; the strongest rejected ones: {alone}, where {front.limit:.2g} is asked for" if alone else ""
    what = f"no term of {rate(name)} is significant{rejected}"
    if front.alone and front.alone[0][1] > front.limit:
        what = f"no allowed terms explain {rate(name)}; the strongest by itself: {alone}"
    if rung.restrictions.forbidden.get(name):
        return Doubt(name, "nothing significant", what, "learn without --forbid")
    advice = _slower(data, name) or f"less noise, a longer time or more runs, so that {name} changes more"
    return Doubt(name, "nothing significant", what, advice)


def no_forecast(data: Field, name: str) -> Doubt:
    """Held-out data are foretold no better than by "nothing changes"."""
    what = "the equation foretells held-out data no better than 'nothing changes' would"
    return Doubt(
        name,
        "no forecast",
        what,
        _slower(data, name)
        or "look for what is missing: another variable, a source, or coefficients that vary in space",
    )


def _slower(data: Field, name: str) -> str:
    """Advice for snapshots too far apart; empty if they are not."""
    values = data.values[:, :, data.names.index(Factor(name).measured)]
    change = float(np.sqrt(np.nanmean(np.diff(values, axis=1) ** 2)) / max(np.nanstd(values), 1e-300))
    if change < TOO_LONG:
        return ""
    often = int(np.ceil(change / SMOOTH))
    return f"save snapshots {often} times as often: {name} changes by {100 * change:.0f} % of its spread between two"


def undecided(data: Field, name: str, found: Identifiability, chosen: Equation) -> list[Doubt]:
    """Terms with rivals that fit as well, and waves of fixed shape."""
    doubts = []
    for term in dict.fromkeys(rival.chosen for rival in found.undecided):
        rivals = [rival for rival in found.undecided if rival.chosen == term][:MOST_TOLD]
        what = f"{rate(name)}: {_together(term, rivals)}. " + _fit_as_well(chosen, [rival.equation for rival in rivals])
        steps = dict.fromkeys(_experiment(data, term, rival.term) for rival in rivals)
        ruled_out = ", ".join(str(rival.term) for rival in found.undecided if rival.chosen == term)
        known = f'or, if these cannot be: --forbid "{ruled_out}"'
        doubts.append(Doubt(name, "rivals", what, "; ".join([*steps, known])))
    if found.instead and not doubts:
        alike = _fit_as_well(chosen, found.instead)
        what = f"{rate(name)}: a wave of fixed shape obeys transport whatever its equation. {alike}"
        advice = "add a run with a wave of another height or shape, or with two waves that meet"
        doubts.append(Doubt(name, "fixed shape", what, advice))
    return doubts


def _together(term: Term, rivals: Sequence[Rival]) -> str:
    """`u_xx moves together with u and u_xxxx (correlation -1.0000)`."""
    others = " and ".join(str(rival.term) for rival in rivals)
    weakest = min(rivals, key=lambda rival: abs(rival.correlation))
    return f"{term} moves together with {others} (correlation {weakest.correlation:.4f})"


def _fit_as_well(chosen: Equation, others: Sequence[Equation]) -> str:
    first, *texts = [shortened(equation.to_text(), MAX_CHARACTERS) for equation in (chosen, *others)]
    return f"{first} fits, and so does {' or '.join(texts)}"


def _experiment(data: Field, term: Term, rival: Term) -> str:
    """What to add so that two terms no longer move together, from what tells them apart."""
    mine, theirs = _variables(term), _variables(rival)
    if set(mine) != set(theirs):
        apart = sorted(set(mine) ^ set(theirs)) or ["the variables"]
        return f"add a start in which {' and '.join(sorted(set(mine) | set(theirs)) or apart)} do not move together"
    if mine != theirs:
        return "add runs of other amplitudes, such as half and twice"
    along = sorted(_letters(term) | _letters(rival))
    if len(along) > 1:
        return f"add a start that varies differently along {' and '.join(along)}"
    axis = along[0]
    return f"add starts with three or more wave numbers along {axis}{_held(data, axis)}"


def _variables(term: Term) -> Mapping[str, int]:
    return Counter(factor.variable for factor in term.factors)


def _letters(term: Term) -> set[str]:
    return {letter for factor in term.factors for letter in factor.derivative}


def _held(data: Field, axis: str) -> str:
    """` (these data hold 1)`, where the axis has waves to count."""
    k = data.axes.index(axis)
    if data.boundary[k] != "periodic" or data.has_gaps:
        return ""
    spectrum = np.abs(np.fft.rfft(data.values, axis=3 + k)[(slice(None),) * (3 + k) + (slice(1, None),)]) ** 2
    power = np.moveaxis(spectrum, 3 + k, 0).reshape(spectrum.shape[3 + k], -1).sum(axis=1)
    # white noise has about the median power of all wave numbers
    seen = int(np.sum(power > np.maximum(WAVE_SEEN * power.sum(), 10.0 * np.median(power))))
    return f" (these data hold {seen})"
