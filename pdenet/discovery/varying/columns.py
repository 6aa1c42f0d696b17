"""Candidate terms of data at points and snapshots: what an equation is asked of, one column a term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from pdenet.discovery.collocation import Axis, PeriodicAxis
from pdenet.discovery.normal_equations import along_axes
from pdenet.discovery.varying.basis import LegendreBasis
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
        """sqrt(2 n + 1) P_n for n = 0 to the degree; values beyond the range are drawn to its end."""
        at = (2.0 * (values - self.low) / (self.high - self.low) - 1.0).clamp(-1.0, 1.0)
        found = [torch.ones_like(at), at]
        for n in range(1, self.degree):
            found.append(((2 * n + 1) * at * found[n] - n * found[n - 1]) / (n + 1))
        return [(2 * n + 1) ** 0.5 * p for n, p in enumerate(found[: self.degree + 1])]

    def values(self, at: Float64[np.ndarray, " value"], degree: int) -> Float64[np.ndarray, "value function"]:
        """The polynomials up to a degree at values of the variable."""
        return np.stack([p.numpy() for p in self.polynomials(torch.as_tensor(at))[: degree + 1]], axis=1)

    def formula(self, n: int) -> tuple[float, str]:
        """A polynomial as a number times a text."""
        return LegendreBasis(self.variable, self.low, self.high - self.low).formula(n)


class Columns:
    """Evaluates, at snapshots and grid points, every term, then every polynomial of the curve, then every target.

    Periodic axes keep the resolved waves and the points of the data; walled ones lose a margin. targets: the variables
    that equations are sought for.
    """

    def __init__(
        self,
        field: Field,
        terms: Sequence[Term],
        curve: Curve | None,
        targets: Sequence[str],
        axes: Sequence[Axis],
        device: torch.device,
    ) -> None:
        self.terms, self.curve, self.targets = tuple(terms), curve, tuple(targets)
        self._names = field.names
        data_axes = [
            replace(axis, n_products=axis.n_points) if isinstance(axis, PeriodicAxis) else axis for axis in axes
        ]
        words = {"", *(factor.derivative for term in terms for factor in term.factors)}
        self._operators = {
            word: [
                torch.as_tensor(axis.derivative(word.count(letter)), device=device)
                for axis, letter in zip(data_axes, field.axes, strict=True)
            ]
            for word in sorted(words)
        }
        margins = [0 if isinstance(axis, PeriodicAxis) else axis.margin for axis in axes]
        self.coordinates: dict[str, Float64[np.ndarray, " point"]] = {
            letter: at[margin : len(at) - margin]
            for (letter, at), margin in zip(field.coordinates().items(), margins, strict=True)
        }

    @property
    def n_columns(self) -> int:
        """Terms, polynomials and targets."""
        return self.target(self.targets[0]) + len(self.targets)

    def target(self, name: str) -> int:
        """Column of a variable that an equation is sought for."""
        return len(self.terms) + (0 if self.curve is None else self.curve.degree + 1) + self.targets.index(name)

    def evaluate(self, snapshots: Float64[Tensor, "time channel *space"]) -> Float64[Tensor, "column time *point"]:
        """The columns; points that meet a gap are zero at all snapshots."""
        seen = self._seen(snapshots)
        snapshots = snapshots.nan_to_num()
        factors = {
            Factor(name, word): along_axes(snapshots[:, c], operators)
            for c, name in enumerate(self._names)
            for word, operators in self._operators.items()
        }
        columns = [evaluate_term(term, factors) for term in self.terms]
        columns += [] if self.curve is None else self.curve.polynomials(factors[Factor(self.curve.variable)])
        columns += [factors[Factor(name)] for name in self.targets]
        return torch.stack(columns) * seen

    def _seen(self, snapshots: Float64[Tensor, "time channel *space"]) -> Bool[Tensor, "*point"]:
        """Which points have all the values that their equations are made of."""
        missing = torch.isnan(snapshots).any(dim=0).any(dim=0).to(snapshots.dtype)
        reach = [sum(ops[k].abs() for ops in self._operators.values()) for k in range(missing.ndim)]
        return along_axes(missing, [(used > 0).to(snapshots.dtype) for used in reach]) == 0.0
