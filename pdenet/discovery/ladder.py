"""How large the library must be: derivative order and degree are climbed only as far as the data ask for it.

A larger library is tried for a variable while its equation leaves more than noise leaves, and the largest library (the
probe, on a thinned sample of the data) can explain more than half of that. The same measure accepts a rung: what it
explains must exceed what then remains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import UsageError
from pdenet.discovery.collocation import Collocation
from pdenet.discovery.groups import Groups
from pdenet.discovery.noise_propagation import noise_residual
from pdenet.discovery.normal_equations import NormalEquations, assemble
from pdenet.discovery.resolution import choose_collocation
from pdenet.discovery.select import Front, first_weights, residual_power, select, solve_support, weighted_gram
from pdenet.equations.equation import Equation
from pdenet.equations.library import candidate_terms
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

RUNGS = ((2, 2), (2, 3), (3, 2), (4, 2), (3, 3), (4, 3))  # (derivative order, degree)
SELECTION_ROWS = 400_000
PROBE_ROWS = 60_000
LIBRARY_LIMIT = 600  # terms; the probe's path through more would take minutes


@dataclass(frozen=True)
class Rung:
    """One library on the data: its bounds, its operators and the selection made for a variable."""

    order: int
    degree: int
    collocation: Collocation
    front: Front

    @property
    def support(self) -> tuple[Term, ...]:
        """The chosen terms."""
        return self.front.support(self.front.chosen)

    def equation(self, size: int) -> Equation:
        """The model with `size` terms, fitted to the data that selection saw."""
        coefficients = tuple(float(c) for c in self.front.models[size].coefficients)
        return Equation(f"{self.front.name}_t", self.front.support(size), coefficients)


@dataclass(frozen=True)
class Climb:
    """What climbing needs besides the data. noise: its standard deviation."""

    noise: Float64[np.ndarray, "run channel"]
    device: torch.device
    generator: np.random.Generator
    progress: Callable[[str], None]


def rungs(field: Field, order: int | None, degree: int | None) -> list[tuple[int, int]]:
    """The libraries to try, smallest first; a given order or degree is kept."""
    bounds = {(order or o, degree or d) for o, d in RUNGS}
    small = [b for b in sorted(bounds, key=_by_size) if _n_terms(field, *b) <= LIBRARY_LIMIT]
    if not small:
        o, d = min(bounds, key=_by_size)
        raise UsageError(
            f"order {o} and degree {d} make {_n_terms(field, o, d)} candidate terms per equation; at most "
            f"{LIBRARY_LIMIT} can be told apart",
            where="--order, --degree",
            cure="learn --order 2 --degree 2",
        )
    return small


def _by_size(bounds: tuple[int, int]) -> int:
    return RUNGS.index(bounds) if bounds in RUNGS else len(RUNGS) + sum(bounds)


def _n_terms(field: Field, order: int, degree: int) -> int:
    return len(candidate_terms(field.names, field.axes, order=order, degree=degree))


def climb(field: Field, bounds: Sequence[tuple[int, int]], setting: Climb) -> dict[str, Rung]:
    """The rung on which each variable's equation is decided."""
    chosen: dict[str, Rung] = {}
    leftover = _stand_on(field, bounds[0], field.names, setting, chosen)
    unsettled = [name for name in field.names if leftover[name]]
    if not unsettled or len(bounds) == 1:
        return chosen
    probe = _Probe(field, bounds[-1], setting)
    unsettled = [name for name in unsettled if probe.explains_more(name, chosen[name].support)]
    for bound in bounds[1:]:
        if not unsettled:
            break
        higher: dict[str, Rung] = {}
        _stand_on(field, bound, unsettled, setting, higher)
        for name in unsettled:
            if probe.prefers(name, higher[name].support, chosen[name].support):
                chosen[name] = higher[name]
        unsettled = [name for name in unsettled if probe.explains_more(name, chosen[name].support)]
    return chosen


def _stand_on(
    field: Field, bound: tuple[int, int], names: Sequence[str], setting: Climb, found: dict[str, Rung]
) -> dict[str, bool]:
    """Select on one rung for some variables; tells which of them leave more than noise and time steps explain."""
    order, degree = bound
    collocation = choose_collocation(field, setting.noise, max_order=order, degree=degree)
    terms = candidate_terms(field.names, field.axes, order=order, degree=degree)
    groups = Groups.of(field, collocation, len(terms) + len(field.names))
    equations = assemble(
        field,
        terms,
        collocation,
        groups,
        device=setting.device,
        max_rows=SELECTION_ROWS,
        progress=setting.progress,
    )

    def noise_power(equation: Equation) -> Float64[np.ndarray, "block shell"]:
        return noise_residual(
            field,
            equation,
            setting.noise,
            collocation,
            groups,
            generator=setting.generator,
            device=setting.device,
            max_rows=PROBE_ROWS,
        )

    leftover = {}
    for name in names:
        setting.progress(f"{name}_t: selecting among {len(terms)} terms up to order {order}, degree {degree}")
        front = select(equations, name, noise_power)
        found[name] = Rung(order, degree, collocation, front)
        leftover[name] = front.over_noise > 2.0
    return leftover


class _Probe:
    """The largest library on a thinned sample: an upper bound on what any library can explain."""

    def __init__(self, field: Field, bound: tuple[int, int], setting: Climb) -> None:
        order, degree = bound
        collocation = choose_collocation(field, setting.noise, max_order=order, degree=degree)
        terms = candidate_terms(field.names, field.axes, order=order, degree=degree)
        self._equations: NormalEquations = assemble(
            field,
            terms,
            collocation,
            Groups.of(field, collocation, len(terms) + len(field.names)),
            device=setting.device,
            max_rows=PROBE_ROWS,
            progress=setting.progress,
        )
        self._weights = {name: first_weights(self._equations, name) for name in field.names}

    def _misfit(self, name: str, support: Sequence[Term]) -> float:
        """Weighted mean square residual of a support fitted to the probe's sample."""
        target = self._equations.target(name)
        weights = self._weights[name]
        places = tuple(self._equations.terms.index(term) for term in support)
        if not places:
            power = self._equations.gram[..., target, target]
        else:
            coefficients, _ = solve_support(weighted_gram(self._equations.gram, weights), target, places)
            power = residual_power(self._equations.gram, target, places, coefficients)
        return float((weights * power).sum() / max(self._equations.rows.sum() - len(places), 1))

    def explains_more(self, name: str, support: Sequence[Term]) -> bool:
        """Whether the whole library explains more than half of what the support leaves."""
        return self._misfit(name, support) > 2.0  # the weights make the whole library's misfit 1

    def prefers(self, name: str, support: Sequence[Term], other: Sequence[Term]) -> bool:
        """Whether the support explains more than half of what the other one leaves."""
        return 2.0 * self._misfit(name, support) < self._misfit(name, other)
