"""Candidate terms and time derivatives of data at points: what an equation is asked of, one column a term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from pdenet.discovery.collocation import Axis, Collocation, PeriodicAxis
from pdenet.discovery.normal_equations import along_axes
from pdenet.equations.library import evaluate_term
from pdenet.equations.terms import Factor, Term
from pdenet.fields.field import Field


@dataclass(frozen=True)
class Curve:
    """The unknown f(variable), in Legendre polynomials over [low, high] up to `degree`."""

    variable: str
    low: float
    high: float
    degree: int

    def polynomials(self, values: Float64[Tensor, "*shape"]) -> list[Float64[Tensor, "*shape"]]:
        """sqrt(2 n + 1) P_n for n = 0 to the degree; values beyond the range, which noise makes, are drawn to its end."""
        at = (2.0 * (values - self.low) / (self.high - self.low) - 1.0).clamp(-1.0, 1.0)
        found = [torch.ones_like(at), at]
        for n in range(1, self.degree):
            found.append(((2 * n + 1) * at * found[n] - n * found[n - 1]) / (n + 1))
        return [(2 * n + 1) ** 0.5 * p for n, p in enumerate(found[: self.degree + 1])]


class Columns:
    """Evaluates, at the collocation times and at grid points, every term, then every polynomial of the curve, then the
    time derivative of every target.

    Periodic axes keep the points of the data; walled ones lose a margin.
    """

    def __init__(
        self,
        field: Field,
        terms: Sequence[Term],
        curve: Curve | None,
        targets: Sequence[str],
        collocation: Collocation,
        device: torch.device,
    ) -> None:
        self.terms, self.curve, self.targets = tuple(terms), curve, tuple(targets)
        self.axes = tuple(_on_data_points(axis) for axis in collocation.axes)
        self._names = field.names
        fit, slope = collocation.window.operators(field.dt)
        self._fit, self._slope = torch.as_tensor(fit, device=device), torch.as_tensor(slope, device=device)
        words = {"", *(factor.derivative for term in terms for factor in term.factors)}
        self._operators = {
            word: [
                torch.as_tensor(axis.derivative(word.count(letter)), device=device)
                for axis, letter in zip(self.axes, field.axes, strict=True)
            ]
            for word in sorted(words)
        }

    @property
    def n_columns(self) -> int:
        """Terms, polynomials and targets."""
        return len(self.terms) + (0 if self.curve is None else self.curve.degree + 1) + len(self.targets)

    def evaluate(self, window: Float64[Tensor, "width channel *space"]) -> Float64[Tensor, "column time *point"]:
        """The columns over one window of snapshots; equations that meet a gap are zero."""
        seen = self._seen(window)
        window = window.nan_to_num()
        flat = window.flatten(1)
        values = (self._fit @ flat).unflatten(1, window.shape[1:])
        slopes = (self._slope @ flat).unflatten(1, window.shape[1:])
        factors = {
            Factor(name, word): along_axes(values[:, c], operators)
            for c, name in enumerate(self._names)
            for word, operators in self._operators.items()
        }
        columns = [evaluate_term(term, factors) for term in self.terms]
        columns += [] if self.curve is None else self.curve.polynomials(factors[Factor(self.curve.variable)])
        columns += [along_axes(slopes[:, self._names.index(name)], self._operators[""]) for name in self.targets]
        return torch.stack(columns) * seen

    def _seen(self, window: Float64[Tensor, "width channel *space"]) -> Bool[Tensor, "*point"]:
        """Which points have all the values that their equations are made of."""
        missing = torch.isnan(window).any(dim=0).any(dim=0).to(window.dtype)
        reach = [sum(ops[k].abs() for ops in self._operators.values()) for k in range(len(self.axes))]
        return along_axes(missing, [(used > 0).to(window.dtype) for used in reach]) == 0.0


def points(field: Field, columns: Columns) -> dict[str, Float64[np.ndarray, " point"]]:
    """Coordinates at which the columns stand, by space axis."""
    found = {}
    for (letter, coordinates), axis in zip(field.coordinates().items(), columns.axes, strict=True):
        margin = 0 if isinstance(axis, PeriodicAxis) else axis.margin
        found[letter] = coordinates[margin : len(coordinates) - margin]
    return found


def _on_data_points(axis: Axis) -> Axis:
    return replace(axis, n_products=axis.n_points) if isinstance(axis, PeriodicAxis) else axis
