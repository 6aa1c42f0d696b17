"""Forces that are no polynomial of the library: what an equation leaves, asked whether it is a higher power.

The sine of sine-Gordon's u_tt = u_xx - sin(u) looks like u - 0.09 u^3, and the fit leaves little. But what it leaves is
a curve in u: two more powers explain most of it, as they do of any smooth curve. Noise, shocks and the errors of
stencils are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pdenet.discovery.doubts import Doubt
from pdenet.discovery.ladder import PROBE_ROWS, Probe, Rung
from pdenet.discovery.regression import Regression, Setting
from pdenet.discovery.together import Together
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Factor, Term, is_velocity, rate
from pdenet.fields.field import Field

OVER_NOISE = 2.0  # times what noise leaves, from which there is something to explain
LEFT = 1e-4  # share of the power of the left side below which it matters little what is left
MISFIT = 1.25  # times that of noise, whose size is known to some percent
FURTHER = 2  # powers beyond those of the library


def curves_left_over(
    data: Field | Together, found: Mapping[str, Rung], chosen: Mapping[str, Equation], setting: Setting
) -> list[Doubt]:
    """A doubt for every equation whose rest higher powers of its variable explain by more than half.

    Equations whose candidates were named by hand are left alone.
    """
    doubts = []
    for name, rung in found.items():
        front = rung.front
        named = name in setting.restrictions.candidates
        if named or front.over_noise <= OVER_NOISE or front.unexplained <= LEFT or not chosen[name].terms:
            continue
        variable = Factor(Factor(name).measured)
        powers = [Term.product([variable] * n) for n in range(rung.degree + 1, rung.degree + 1 + FURTHER)]
        if _explain(data, name, rung, chosen[name].terms, powers, setting):
            doubts.append(_outside(name, rung, chosen[name], str(variable)))
    return doubts


def misfit_left_over(data: Field, chosen: Mapping[str, Equation], misfit: float) -> list[Doubt]:
    """A doubt about equations of u_tt that cannot be run through noisy data: nothing else bends to a missing force.

    misfit: of the likelihood, over that of noise; nan where the data were clean.
    """
    if data.time_order == 1 or not misfit > MISFIT:
        return []
    text = "; ".join(equation.to_text() for equation in chosen.values())
    what = f"{text} misses the data by {misfit:.3g} times what noise does: a term is missing that no library here has"
    advice = "look for what is missing: a force that is no polynomial, another variable, coefficients that vary"
    return [Doubt(name, "outside the library", what, advice) for name in chosen]


def _explain(
    data: Field | Together, name: str, rung: Rung, support: Sequence[Term], powers: Sequence[Term], setting: Setting
) -> bool:
    """Whether the powers leave less than half of what the terms leave."""
    free = [term for term in support if term not in setting.restrictions.fixed.get(name, {})]
    candidates = dict.fromkeys(data.evolved, (*free, *powers))
    restrictions = replace(setting.restrictions, candidates=candidates, forbidden={})
    bounds = [(rung.order, rung.degree)]
    regression = Regression(data, bounds, replace(setting, restrictions=restrictions), max_rows=PROBE_ROWS)
    return Probe(regression, [name]).explains_more(name, free)


def _outside(name: str, rung: Rung, chosen: Equation, variable: str) -> Doubt:
    highest = rung.degree
    what = (
        f"{100 * rung.front.unexplained:.2g} % of {rate(name)} is left by {chosen.to_text()}, and it is a curve in "
        f"{variable} that no polynomial of degree {highest} follows"
    )
    more = [str(term) for term in chosen.terms] + [f"{variable}**{n}" for n in range(highest + 1, highest + 3)]
    by_hand = f'if you want the polynomial all the same: --terms "{", ".join(more)}"'
    curve = f"find the curve: learn --source {variable}; " if not is_velocity(name) else ""
    return Doubt(name, "outside the library", what, curve + by_hand)
