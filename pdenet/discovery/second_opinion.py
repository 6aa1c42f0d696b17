"""A second opinion on periodic data: the equation asked again in weak form, its terms chosen anew.

The first one has derivatives from trigonometric polynomials, through the whole box at once; the second has stencils,
and waves that fade out at the ends of the box as if there were walls. They share the data, polynomials in time and the
rules of selection; where they agree, the equation does not hang on how space was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pdenet.discovery.collocation import WalledAxis
from pdenet.discovery.ladder import PROBE_ROWS, Rung
from pdenet.discovery.refit import fit_terms
from pdenet.discovery.regression import Bounds, Regression, Setting
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field


@dataclass(frozen=True)
class Agreement:
    """How two opinions on an equation compare.

    share: largest difference of a coefficient over its value; sigmas: over their joint standard error, in which the
    errors of stencils on a coarse grid do not count. Both nan where the terms differ.
    """

    same_terms: bool
    share: float
    sigmas: float


def second_opinion(data: Field, found: Mapping[str, Rung], setting: Setting) -> dict[str, Equation]:
    """The equations in weak form, with standard errors; none where nothing is periodic or the box is too small."""
    if "periodic" not in data.boundary:
        return {}
    walled = replace(data, boundary=("none",) * data.n_dims)
    return {
        name: equation
        for bounds in {(rung.order, rung.degree) for rung in found.values()}
        for name, equation in _ask(walled, bounds, found, setting).items()
    }


def agreement(first: Equation, second: Equation) -> Agreement:
    """Compare two equations of a variable, both with standard errors."""
    others = dict(zip(second.terms, zip(second.coefficients, second.errors, strict=True), strict=True))
    if set(first.terms) != set(others) or not first.terms:
        return Agreement(set(first.terms) == set(others), float("nan"), float("nan"))
    mine = np.array([first.coefficients, first.errors])
    theirs = np.array([others[term] for term in first.terms]).T
    apart = np.abs(mine[0] - theirs[0])
    joint = np.maximum(np.hypot(mine[1], theirs[1]), np.finfo(float).tiny)  # fixed coefficients have none
    return Agreement(True, float((apart / np.abs(mine[0])).max()), float((apart / joint).max()))


def _ask(walled: Field, bounds: Bounds, found: Mapping[str, Rung], setting: Setting) -> dict[str, Equation]:
    """The equations that were decided on one library."""
    axes = [WalledAxis(n, dx, bounds[0], tested=0) for n, dx in zip(walled.space_shape, walled.dx, strict=True)]
    if any(axis.n_inner < axis.n_points // 2 for axis in axes):
        return {}
    regression = Regression(walled, [bounds], setting, max_rows=PROBE_ROWS)
    if regression.n_rows <= regression.n_terms:
        return {}
    names = [name for name, rung in found.items() if (rung.order, rung.degree) == bounds]
    return {name: _select(regression, name, setting) for name in names}


def _select(regression: Regression, name: str, setting: Setting) -> Equation:
    front = regression.front(name)
    support = sorted(front.support(front.chosen), key=lambda term: (term.order, str(term)))
    free, _ = fit_terms(regression.of(name), name, support)
    return setting.restrictions.completed(free)
