"""How large the library must be: derivative order and degree are climbed only as far as the data ask for it.

A larger library is tried for a variable while its equation leaves more than noise leaves, and the largest library (the
probe, on a thinned sample of the data) can explain more than half of that. The same measure accepts a rung: what it
explains must exceed what then remains. No library is larger than half the number of equations that the data make.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from backbone.errors import UsageError
from pdenet.discovery.collocation import Collocation
from pdenet.discovery.identifiability import CannotTell
from pdenet.discovery.regression import Bounds, Regression, Setting
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.select import Front, first_weights, residual_power, weighted_gram
from pdenet.discovery.supports import solve_support
from pdenet.discovery.together import Together
from pdenet.equations.equation import Equation
from pdenet.equations.library import candidate_terms
from pdenet.equations.terms import Term, rate
from pdenet.fields.field import Field

RUNGS = ((2, 2), (2, 3), (3, 2), (4, 2), (3, 3), (4, 3))  # (derivative order, degree)
SELECTION_ROWS = 400_000
PROBE_ROWS = 60_000
LIBRARY_LIMIT = 600  # terms; the probe's path through more would take minutes


@dataclass(frozen=True)
class Rung:
    """One library on the data: its bounds, its operators on each grid and the selection made for a variable.

    restrictions: what was known beforehand; its fixed terms belong to every equation.
    """

    order: int
    degree: int
    collocations: tuple[Collocation, ...]
    front: Front
    restrictions: Restrictions = field(default_factory=Restrictions)

    @property
    def collocation(self) -> Collocation:
        """The operators on the only grid, or the first one."""
        return self.collocations[0]

    def on_grid(self, k: int) -> Rung:
        """The same selection, with the operators of one grid."""
        return replace(self, collocations=(self.collocations[k],))

    @property
    def support(self) -> tuple[Term, ...]:
        """The chosen terms, without the fixed ones."""
        return self.front.support(self.front.chosen)

    @property
    def chosen(self) -> Equation:
        """The chosen model."""
        return self.equation(self.front.chosen)

    def equation(self, size: int) -> Equation:
        """The model with `size` free terms, fitted to the data that selection saw."""
        free = Equation.of(self.front.name, self.front.support(size), self.front.models[size].coefficients.tolist())
        return self.restrictions.completed(free)


def rungs(
    data: Field | Together, order: int | None, degree: int | None, restrictions: Restrictions | None = None
) -> list[Bounds]:
    """The libraries to try, smallest first; a given order or degree is kept. Raises UsageError if all are too large."""
    restrictions = restrictions or Restrictions()
    if restrictions.name_all(data.evolved):
        return [restrictions.order_and_degree()]
    bounds = {(order or o, degree or d) for o, d in RUNGS}
    small = [b for b in sorted(bounds, key=_by_size) if _n_terms(data, *b) <= LIBRARY_LIMIT]
    if not small:
        o, d = min(bounds, key=_by_size)
        raise UsageError(
            f"order {o} and degree {d} make {_n_terms(data, o, d)} candidate terms per equation; at most "
            f"{LIBRARY_LIMIT} can be told apart",
            where="--order, --degree",
            cure="learn --order 2 --degree 2",
        )
    return small


def _by_size(bounds: Bounds) -> int:
    return RUNGS.index(bounds) if bounds in RUNGS else len(RUNGS) + sum(bounds)


def _n_terms(data: Field | Together, order: int, degree: int) -> int:
    return len(candidate_terms(data.state_names, data.axes, order=order, degree=degree))


def climb(data: Field | Together, bounds: Sequence[Bounds], setting: Setting) -> dict[str, Rung]:
    """The rung on which the equation of each variable is decided.

    Raises CannotTell if even the smallest library has more terms than the data make equations.
    """
    names = data.evolved
    chosen: dict[str, Rung] = {}
    first = Regression(data, bounds[:1], setting, max_rows=SELECTION_ROWS)
    if first.n_rows <= first.n_terms:
        raise CannotTell(
            f"these data cannot tell: they make {first.n_rows} equations for {first.n_terms} candidate terms",
            where=data.source,
            cure="record more snapshots, runs or wave numbers, or name fewer candidates: --terms 'u*u_x, u_xx'",
        )
    leftover = _stand_on(first, names, setting, chosen)
    unsettled = [name for name in names if leftover[name]]
    if not unsettled or len(bounds) == 1:
        return chosen
    widest = widest_affordable(data, bounds, setting)
    probe = Probe(widest, names)
    unsettled = [name for name in unsettled if probe.explains_more(name, chosen[name].support)]
    for bound in widest.bounds[1:]:
        if not unsettled:
            break
        regression = Regression(data, [bound], setting, max_rows=SELECTION_ROWS)
        higher: dict[str, Rung] = {}
        _stand_on(regression, unsettled, setting, higher)
        for name in unsettled:
            if probe.prefers(name, higher[name].support, chosen[name].support):
                chosen[name] = higher[name]
        unsettled = [name for name in unsettled if probe.explains_more(name, chosen[name].support)]
    return chosen


def higher_rungs(
    data: Field | Together, found: Mapping[str, Rung], bounds: Sequence[Bounds], setting: Setting
) -> Iterator[dict[str, Rung]]:
    """Selections from the libraries larger than the smallest that an equation was decided on, smallest first.

    What regression cannot see: noise in the data weakens the terms of a rung and hides what it explains. Another
    variable may have been led to the largest library by it, past the right one.
    """
    reached = min((bounds.index((rung.order, rung.degree)) for rung in found.values()), default=0)
    for bound in bounds[reached + 1 :]:
        higher: dict[str, Rung] = {}
        _stand_on(Regression(data, [bound], setting, max_rows=SELECTION_ROWS), data.evolved, setting, higher)
        if any(set(higher[name].support) != set(rung.support) for name, rung in found.items()):
            yield higher


def widest_affordable(
    data: Field | Together, bounds: Sequence[Bounds], setting: Setting, *, beyond: bool = False
) -> Regression:
    """As many libraries together as the data can bear, smallest first and at least one, on a thinned sample."""
    for n in range(len(bounds), 0, -1):
        regression = Regression(data, bounds[:n], setting, max_rows=PROBE_ROWS, beyond=beyond)
        if regression.n_rows >= 2 * regression.n_terms:
            break
    return regression


def _stand_on(
    regression: Regression, names: Sequence[str], setting: Setting, found: dict[str, Rung]
) -> Mapping[str, bool]:
    """Select on one rung for some variables; tells which of them leave more than noise and time steps explain."""
    leftover = {}
    library = f"{regression.n_terms} terms up to order {regression.order}, degree {regression.degree}"
    for name in names:
        setting.progress(f"{rate(name)}: selecting among {library}")
        front = regression.front(name)
        found[name] = Rung(regression.order, regression.degree, regression.collocations, front, setting.restrictions)
        leftover[name] = front.over_noise > 2.0
    return leftover


class Probe:
    """The largest library on a thinned sample: an upper bound on what any library can explain."""

    def __init__(self, regression: Regression, names: Sequence[str]) -> None:
        self._equations = {name: regression.of(name) for name in names}
        self._weights = {name: first_weights(self._equations[name], name) for name in names}

    def _misfit(self, name: str, support: Sequence[Term]) -> float:
        """Weighted mean square residual of a support fitted to the probe's sample."""
        equations, weights = self._equations[name], self._weights[name]
        target = equations.target(name)
        places = tuple(equations.terms.index(term) for term in support)
        coefficients, _ = solve_support(weighted_gram(equations.gram, weights), target, places)
        power = residual_power(equations.gram, target, places, coefficients)
        return float((weights * power).sum() / max(equations.rows.sum() - len(places), 1))

    def explains_more(self, name: str, support: Sequence[Term]) -> bool:
        """Whether the whole library explains more than half of what the support leaves."""
        return self._misfit(name, support) > 2.0  # the weights make the whole library's misfit 1

    def prefers(self, name: str, support: Sequence[Term], other: Sequence[Term]) -> bool:
        """Whether the support explains more than half of what the other one leaves."""
        return 2.0 * self._misfit(name, support) < self._misfit(name, other)
