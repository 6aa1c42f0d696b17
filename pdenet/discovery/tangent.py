"""The roll-out of a polynomial system and its derivative by starting state and coefficients, both cheap to repeat.

A roll-out records the factors of all terms at every stage of the scheme. The tangent obeys the linear equation
d(dy)/dt = F_y(y(t), c) dy + F_c(y(t)) dc  along them, marched by the same scheme with the same steps, so it is the
exact derivative of the discrete roll-out; its transpose comes by backpropagation through these linear steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Complex128, Float64
from torch import Tensor

from backbone.dynamics import SemiLinear, Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4
from pdenet.discovery.half_spectrum import HalfSpectrum
from pdenet.equations.library import evaluate_term
from pdenet.equations.terms import Factor, Term

Row = tuple[int, Term]


class System:
    """A polynomial system on half spectra: the terms of each equation, and the symbol that the scheme solves exactly.

    rows: channel of the equation and term, one row per coefficient. reference: coefficients, of which the variables'
    own linear terms make the symbol; what other coefficients differ from them is left to the rest of the right side.
    """

    def __init__(self, spectrum: HalfSpectrum, rows: Sequence[Row], reference: Float64[Tensor, " row"]) -> None:
        self.spectrum, self.rows = spectrum, tuple(rows)
        self.factors = {factor for _, term in self.rows if term.degree > 1 for factor in term.factors}
        self.scheme = ETDRK4()
        own = [t.degree == 1 and t.factors[0].variable == spectrum.names[c] for c, t in self.rows]
        self._in_symbol = torch.where(torch.tensor(own, device=reference.device), reference, 0.0)
        self.symbol = torch.diagonal(self.coupling(self._in_symbol.tolist()), dim1=0, dim2=1)
        self.symbol = torch.movedim(self.symbol, -1, 0).contiguous()

    def left_over(self, coefficients: Float64[Tensor, " row"]) -> list[float]:
        """Coefficients without what the symbol holds."""
        rest: list[float] = (coefficients - self._in_symbol).tolist()
        return rest

    def coupling(self, coefficients: Sequence[float]) -> Complex128[Tensor, "channel channel_ *mode"]:
        """What the linear terms multiply the modes of the second channel by, in the equation of the first."""
        shape = (len(self.spectrum.names),) * 2 + self.spectrum.mode_shape
        coupling = torch.zeros(shape, dtype=torch.complex128, device=self.spectrum.device)
        for (channel, term), coefficient in zip(self.rows, coefficients, strict=True):
            if term.degree == 1:
                (factor,) = term.factors
                of = self.spectrum.names.index(factor.variable)
                coupling[channel, of] += coefficient * self.spectrum.multiplier(factor.derivative)
        return coupling

    def source(self, coefficients: Sequence[float]) -> Complex128[Tensor, " channel *mode"]:
        """The modes of the constant terms."""
        shape = (len(self.spectrum.names), *self.spectrum.mode_shape)
        source = torch.zeros(shape, dtype=torch.complex128, device=self.spectrum.device)
        mean = tuple(axis.cutoff for axis in self.spectrum.axes[:-1])
        for (channel, term), coefficient in zip(self.rows, coefficients, strict=True):
            if term.degree == 0:
                source[(channel, *mean, 0)] += coefficient
        return source


@dataclass(frozen=True)
class _Moment:
    """One evaluation of the right-hand side: the state, its factors, and d(products of a channel) / d(factor)."""

    modes: Complex128[Tensor, "batch channel *mode"]
    factors: dict[Factor, Tensor]
    slopes: dict[tuple[int, Factor], Tensor]


class RollOut:
    """The roll-out of a system from some states, recorded for its tangents.

    states: modes at 0, dt, ..., n_steps dt, "saved batch channel *mode". Raises Diverged if the system blows up.
    """

    def __init__(
        self,
        system: System,
        coefficients: Float64[Tensor, " row"],
        start: Complex128[Tensor, "batch channel *mode"],
        dt: float,
        n_steps: int,
        n_substeps: int,
    ) -> None:
        self._system, self._spectrum, self._rows = system, system.spectrum, system.rows
        self._rest = system.left_over(coefficients)
        self._coupling = system.coupling(self._rest)
        self._is_coupled = bool(self._coupling.any())
        self._source = system.source(self._rest)
        self._grid = Grid.uniform(0.0, n_steps * dt, n_steps * n_substeps)
        self._n_substeps = n_substeps
        self._moments: list[_Moment] = []
        with torch.no_grad():
            self.states = self._march(self._record, start)

    def tangent(
        self, start: Complex128[Tensor, "column_batch channel *mode"]
    ) -> Complex128[Tensor, "saved column_batch channel *mode"]:
        """Change of the states by changes of the start; columns of them stand one after the other."""
        moments = iter(self._moments)
        return self._march(lambda t, change: self._linearised(next(moments), change), start)

    def forced(self, rows: Sequence[int]) -> Complex128[Tensor, "saved row_batch channel *mode"]:
        """Change of the states by a unit of each of these coefficients, one after the other."""
        moments = iter(self._moments)

        def field(t: float, change: Tensor) -> Tensor:
            moment = next(moments)
            driven = self._linearised(moment, change).unflatten(0, (len(rows), -1))
            for place, row in enumerate(rows):
                channel, term = self._rows[row]
                driven[place, :, channel] += self._term_modes(term, moment)
            return driven.flatten(0, 1)

        first = self._moments[0].modes
        with torch.no_grad():
            return self._march(field, torch.zeros_like(first).repeat(len(rows), *(1,) * (first.ndim - 1)))

    def _march(self, field: Callable[[float, Tensor], Tensor], start: Tensor) -> Tensor:
        dynamics = Shared(SemiLinear(self._system.symbol, field))
        return integrate(dynamics, start, self._grid, self._system.scheme, save="all").ys[:: self._n_substeps]

    def _record(self, t: float, modes: Tensor) -> Tensor:
        factors = self._spectrum.on_products(modes, self._system.factors)
        self._moments.append(_Moment(modes, factors, self._slopes(factors)))
        products: dict[int, Tensor] = {}
        for (channel, term), coefficient in zip(self._rows, self._rest, strict=True):
            if term.degree > 1 and coefficient:
                _add(products, channel, coefficient * evaluate_term(term, factors))
        return self._right_hand_side(products, modes) + self._source

    def _linearised(self, moment: _Moment, change: Tensor) -> Tensor:
        columns = change.unflatten(0, (-1, len(moment.modes)))
        values = self._spectrum.on_products(columns, self._system.factors)
        products: dict[int, Tensor] = {}
        for (channel, factor), slope in moment.slopes.items():
            _add(products, channel, slope * values[factor])
        return self._right_hand_side(products, columns).flatten(0, 1)

    def _slopes(self, factors: dict[Factor, Tensor]) -> dict[tuple[int, Factor], Tensor]:
        slopes: dict[tuple[int, Factor], Tensor] = {}
        for (channel, term), coefficient in zip(self._rows, self._rest, strict=True):
            for factor, power in term.powers if term.degree > 1 and coefficient else ():
                others = list(term.factors)
                others.remove(factor)
                _add(slopes, (channel, factor), coefficient * power * math.prod(factors[other] for other in others))
        return slopes

    def _right_hand_side(self, products: dict[int, Tensor], modes: Tensor) -> Tensor:
        """Modes of the products of each channel, and of the linear terms that the symbol leaves over."""
        n_dims = len(self._spectrum.axes)
        total = torch.zeros_like(modes)
        if products:
            none = torch.zeros_like(next(iter(products.values())))
            rows = [products.get(channel, none) for channel in range(len(self._spectrum.names))]
            total = self._spectrum.to_modes(torch.stack(rows, dim=none.ndim - n_dims))
        if self._is_coupled:
            total = total + (self._coupling * modes.unsqueeze(-n_dims - 2)).sum(dim=-n_dims - 1)
        return total

    def _term_modes(self, term: Term, moment: _Moment) -> Tensor:
        """Modes of one term, "batch *mode"; those of a constant are the same for all."""
        if term.degree == 0:
            alone = (slice(None), *(axis.cutoff for axis in self._spectrum.axes[:-1]), 0)
            constant = torch.zeros_like(moment.modes[:, 0])
            constant[alone] = 1.0
            return constant
        if term.degree == 1:
            (factor,) = term.factors
            place = self._spectrum.names.index(factor.variable)
            return self._spectrum.multiplier(factor.derivative) * moment.modes[:, place]
        return self._spectrum.to_modes(evaluate_term(term, moment.factors))


def _add(sums: dict[Any, Tensor], key: Any, value: Tensor) -> None:
    sums[key] = sums[key] + value if key in sums else value
