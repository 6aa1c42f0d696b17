"""The regression that the data make of one library: its operators, its normal matrices, and what noise does to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float64

from pdenet.discovery.collocation import Axis, Collocation, PeriodicAxis
from pdenet.discovery.groups import Groups
from pdenet.discovery.normal_equations import NormalEquations, assemble, stacked, stacked_groups
from pdenet.discovery.resolution import choose_collocation
from pdenet.discovery.restrictions import Restrictions
from pdenet.discovery.select import Front, select
from pdenet.discovery.together import Together
from pdenet.discovery.unavoidable import noise_residual, stencil_residual
from pdenet.equations.equation import Equation
from pdenet.equations.library import candidate_terms
from pdenet.equations.terms import Term
from pdenet.fields.field import Field
from pdenet.fields.memory import Memory

Bounds = tuple[int, int]  # derivative order and degree of a library
NOISE_ROWS = 60_000  # on which the effect of noise is measured


@dataclass(frozen=True)
class Setting:
    """What every regression on the same data shares. noise: its standard deviation."""

    noise: Float64[np.ndarray, "run channel"]
    device: torch.device
    generator: np.random.Generator
    progress: Callable[[str], None]
    restrictions: Restrictions = field(default_factory=Restrictions)
    memory: Memory = field(default_factory=Memory.of)


class Regression:
    """Library of an order and a degree, or of several such bounds, within the restrictions, on the data's equations.

    Of data on several grids the equations stand under each other, in groups of their own. max_rows: about how many of
    its equations per variable are used. beyond: ask the equations also of the waves that products of the data reach
    although the data do not.
    """

    def __init__(
        self, data: Field | Together, bounds: Sequence[Bounds], setting: Setting, *, max_rows: int, beyond: bool = False
    ) -> None:
        self.bounds = tuple(bounds)
        self._setting, self._evolved = setting, data.evolved
        self._general = () if setting.restrictions.name_all(data.evolved) else _union(data, bounds)
        terms = setting.restrictions.library(data.evolved, self._general)
        named_order, named_degree = setting.restrictions.order_and_degree()
        fields, noises = (data.fields, data.noise) if isinstance(data, Together) else ((data,), (setting.noise,))
        self._grids = [
            OneGrid(
                field,
                terms,
                replace(setting, noise=noise),
                max_order=max(self.order, named_order),
                degree=max(self.degree, named_degree),
                max_rows=-(-max_rows // len(fields)),
                beyond=beyond,
            )
            for field, noise in zip(fields, noises, strict=True)
        ]

    @property
    def order(self) -> int:
        """The largest of the bounds."""
        return max(order for order, _ in self.bounds)

    @property
    def degree(self) -> int:
        """The largest of the bounds."""
        return max(degree for _, degree in self.bounds)

    @property
    def collocations(self) -> tuple[Collocation, ...]:
        """The operators on each grid."""
        return tuple(grid.collocation for grid in self._grids)

    @property
    def n_terms(self) -> int:
        """Candidates of the equation that has most."""
        return max(len(self._setting.restrictions.allowed(name, self._general)) for name in self._evolved)

    @property
    def n_rows(self) -> int:
        """Equations per variable that are used; those that meet a gap are not."""
        return int(self._equations.rows.sum())

    @cached_property
    def _equations(self) -> NormalEquations:
        return stacked([grid.equations for grid in self._grids])

    def of(self, name: str) -> NormalEquations:
        """The candidates of one variable, with its fixed terms taken off its time derivative."""
        restrictions = self._setting.restrictions
        known = self._equations.less(name, restrictions.fixed.get(name, {}))
        return known.restrict(restrictions.allowed(name, self._general))

    def front(self, name: str) -> Front:
        """The path of models of one variable, and the choice among them."""
        most = self._setting.restrictions.most_free_terms(name)
        return select(self.of(name), name, self.noise_power, self.stencil_power, most)

    def stencil_power(self, equation: Equation) -> Float64[np.ndarray, "block shell"]:
        """Mean square that the errors of stencils give the residual of an equation, per group."""
        return stacked_groups([grid.stencil_power(equation) for grid in self._grids])

    def noise_power(self, equation: Equation) -> Float64[np.ndarray, "block shell"]:
        """Variance that measurement noise gives the residual of an equation, per group."""
        return stacked_groups([grid.noise_power(equation) for grid in self._grids])


class OneGrid:
    """What the data on one grid add to a regression on `terms`."""

    def __init__(
        self,
        data: Field,
        terms: Sequence[Term],
        setting: Setting,
        *,
        max_order: int,
        degree: int,
        max_rows: int,
        beyond: bool,
    ) -> None:
        self._data, self._terms, self._setting, self._max_rows = data, terms, setting, max_rows
        collocation = choose_collocation(data, setting.noise, max_order=max_order, degree=degree)
        self.collocation = replace(collocation, axes=_beyond(collocation.axes, degree)) if beyond else collocation
        self._groups = Groups.of(data, self.collocation, len(self._terms) + len(data.state_names))

    @cached_property
    def equations(self) -> NormalEquations:
        """The normal matrices by group."""
        return assemble(
            self._data,
            self._terms,
            self.collocation,
            self._groups,
            device=self._setting.device,
            max_rows=self._max_rows,
            progress=self._setting.progress,
        )

    def stencil_power(self, equation: Equation) -> Float64[np.ndarray, "block shell"]:
        """What the errors of stencils leave, per group."""
        return stencil_residual(
            self._data,
            self._setting.restrictions.completed(equation),
            self.collocation,
            self._groups,
            device=self._setting.device,
            max_rows=min(self._max_rows, NOISE_ROWS),
        )

    def noise_power(self, equation: Equation) -> Float64[np.ndarray, "block shell"]:
        """What noise leaves, per group."""
        return noise_residual(
            self._data,
            self._setting.restrictions.completed(equation),
            self._setting.noise,
            self.collocation,
            self._groups,
            generator=self._setting.generator,
            device=self._setting.device,
            max_rows=min(self._max_rows, NOISE_ROWS),
        )


def _union(data: Field | Together, bounds: Sequence[Bounds]) -> tuple[Term, ...]:
    """The terms of all libraries together."""
    libraries = [candidate_terms(data.state_names, data.axes, order=order, degree=degree) for order, degree in bounds]
    return tuple(dict.fromkeys(term for library in libraries for term in library))


def _beyond(axes: Sequence[Axis], degree: int) -> tuple[Axis, ...]:
    """Periodic axes tested up to the waves of products, as far as the grid has them free of aliasing."""
    wider: list[Axis] = []
    for axis in axes:
        if isinstance(axis, PeriodicAxis):
            tested = max(min(degree * axis.cutoff, (axis.n_points - 1) // 3), axis.tested)
            axis = replace(axis, tested=tested, n_products=max(degree * axis.cutoff + tested + 1, 2))
        wider.append(axis)
    return tuple(wider)
