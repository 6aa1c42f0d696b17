"""Normal matrices of the candidate library, one per group of equations: all that selection ever needs of the data.

Data enter block by block of windows, the columns of the library block by block of waves, so that memory does not grow
with their size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64, Int64, Shaped
from torch import Tensor

from pdenet.discovery.along_axes import along_axes
from pdenet.discovery.collocation import Collocation
from pdenet.discovery.fading import Fading
from pdenet.discovery.groups import Groups
from pdenet.equations.library import evaluate_term
from pdenet.equations.terms import Factor, Term
from pdenet.fields.field import Field

# A chunk of library rows and what it is made from stay below this many numbers (8 bytes each).
CHUNK_NUMBERS = 12_000_000


@dataclass(frozen=True)
class NormalEquations:
    """Sums over the rows of each group of the products of library columns.

    gram: "block shell column column", the columns being the terms and then the time derivative of each variable.
    rows: number of equations in each group.
    """

    terms: tuple[Term, ...]
    names: tuple[str, ...]
    gram: Float64[np.ndarray, "block shell column column"]
    rows: Int64[np.ndarray, "block shell"]

    @property
    def n_terms(self) -> int:
        """Number of candidate terms."""
        return len(self.terms)

    def target(self, name: str) -> int:
        """Column of a variable's time derivative."""
        return self.n_terms + self.names.index(name)

    def restrict(self, terms: Sequence[Term]) -> NormalEquations:
        """The same equations with some of the terms."""
        if tuple(terms) == self.terms:
            return self
        places = [self.terms.index(term) for term in terms]
        places += range(self.n_terms, self.gram.shape[-1])
        return NormalEquations(tuple(terms), self.names, self.gram[:, :, places][..., places], self.rows)

    def less(self, name: str, known: Mapping[Term, float]) -> NormalEquations:
        """The same equations, with terms of known coefficients taken off the time derivative of one variable."""
        if not known:
            return self
        change = np.eye(self.gram.shape[-1])
        for term, coefficient in known.items():
            change[self.terms.index(term), self.target(name)] = -coefficient
        return replace(self, gram=change.T @ self.gram @ change)


def stacked(several: Sequence[NormalEquations]) -> NormalEquations:
    """Normal equations of the same terms under each other, every group by itself."""
    first, *others = several
    if not others:
        return first
    return replace(
        first,
        gram=stacked_groups([one.gram for one in several]),
        rows=stacked_groups([one.rows for one in several]),
    )


def stacked_groups(several: Sequence[Shaped[np.ndarray, "_ _ *rest"]]) -> Shaped[np.ndarray, "_ _ *rest"]:
    """The blocks of several data under each other, with empty shells where some have fewer."""
    n_shells = max(one.shape[1] for one in several)
    rests = [[(0, 0), (0, n_shells - one.shape[1]), *[(0, 0)] * (one.ndim - 2)] for one in several]
    return np.concatenate([np.pad(one, rest) for one, rest in zip(several, rests, strict=True)])


def assemble(
    field: Field,
    terms: Sequence[Term],
    collocation: Collocation,
    groups: Groups,
    *,
    device: torch.device,
    max_rows: int | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> NormalEquations:
    """Evaluate the library at the collocation points of the field and sum the normal matrices by group.

    max_rows: about how many equations per variable are used, spread evenly over the windows; None uses all.
    Points near a gap are left out; waves that lose weight to walls and gaps count for less than an equation.
    """
    n_columns = len(terms) + len(field.state_names)
    gram = np.zeros((*groups.shape, n_columns, n_columns))
    rows = np.zeros(groups.shape)
    library = Library(field.state_names, field.axes, terms, collocation, device)
    members = [torch.as_tensor(modes, device=device) for modes in groups.members]
    done = 0
    for where, values, slopes in windows(field, collocation, groups, library.numbers_per_sample, device, max_rows):
        weights = library.weights(values)
        for first, columns in library.blocks(values, slopes, weights):
            for s, modes in enumerate(members):
                chosen = modes[(modes >= first) & (modes < first + columns.shape[2])] - first
                part = columns[:, :, chosen].reshape(n_columns, -1)
                gram[where, s] += (part @ part.T).cpu().numpy()
                rows[where, s] += float(mean_square(weights)) * part.shape[1]
        done += len(values)
        progress(f"library of {len(terms)} terms: {done} snapshots")
    return NormalEquations(tuple(terms), field.state_names, gram, np.ceil(rows).astype(np.int64))


def mean_square(weights: Float64[Tensor, " sample *fine"]) -> Float64[Tensor, ""]:
    """The share of its equations that samples of such weights are worth."""
    return weights.square().mean()


def windows(
    field: Field,
    collocation: Collocation,
    groups: Groups,
    numbers_per_sample: int,
    device: torch.device,
    max_rows: int | None = None,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Block, state and its time derivative "sample channel *space" at the points of the windows, chunk by chunk."""
    operators = [torch.as_tensor(m, device=device) for m in collocation.window.operators(field.dt)]
    width, points = collocation.window.width, len(collocation.window.points)
    starts = collocation.window.starts(field.n_times)
    n_rows = groups.block.size * points * len(groups.shell)
    stride = 1 if max_rows is None else -(-n_rows // max_rows)
    n_samples = max(CHUNK_NUMBERS // numbers_per_sample, 1)
    numbers_per_window = math.prod((len(field.names), *field.space_shape)) * (width + 2 * points)
    n_per_chunk = max(min(n_samples // points, CHUNK_NUMBERS // numbers_per_window), 1)
    for b in range(groups.shape[0]):
        pairs = np.argwhere(groups.block == b)
        # neighbouring blocks start at different windows, so that thinning leaves no stretch of time out
        pairs = pairs[min(b % stride, len(pairs) - 1) :: stride]
        for first in range(0, len(pairs), n_per_chunk):
            chosen = pairs[first : first + n_per_chunk]
            snapshots = np.stack([field.values[run, starts[w] : starts[w] + width] for run, w in chosen])
            data = torch.as_tensor(snapshots, device=device).flatten(2)
            shape = (len(chosen) * points, len(field.names), *field.space_shape)
            fits = [(operator @ data).reshape(shape) for operator in operators]
            # the rates of a state of values and velocities are its velocities and accelerations
            values, slopes = torch.cat(fits[:-1], dim=1), torch.cat(fits[1:], dim=1)
            for piece in zip(values.split(n_samples), slopes.split(n_samples), strict=True):
                yield b, *piece


class Library:
    """Evaluates every candidate term on the product grid and tests it against the modes."""

    def __init__(
        self,
        names: Sequence[str],
        axes: Sequence[str],
        terms: Sequence[Term],
        collocation: Collocation,
        device: torch.device,
    ) -> None:
        self._names = tuple(names)
        self._letters = tuple(axes)
        self._terms = tuple(terms)
        self._tests = [torch.as_tensor(axis.test(), device=device) for axis in collocation.axes]
        self._fading = Fading(collocation.axes, device)
        n_points = [axis.n_points for axis in collocation.axes]
        self._whole = self._fading.of(torch.zeros((1, *n_points), dtype=torch.bool, device=device))
        words = {"", *(factor.derivative for term in terms for factor in term.factors)}
        self._operators: Mapping[str, list[Tensor]] = {
            word: [
                torch.as_tensor(axis.derivative(word.count(letter)), device=device)
                for axis, letter in zip(collocation.axes, axes, strict=True)
            ]
            for word in sorted(words)
        }

    @property
    def numbers_per_sample(self) -> int:
        """Numbers held at once for one collocation time: factors on the product grid, and twice the tested columns."""
        n_fine = math.prod(len(test.T) for test in self._tests)
        n_modes = math.prod(len(test) for test in self._tests)
        n_factors = len(self._operators) * len(self._names)
        return n_factors * n_fine + 2 * (len(self._terms) + len(self._names)) * n_modes

    def columns(
        self,
        values: Float64[Tensor, "sample channel *space"],
        slopes: Float64[Tensor, "sample channel *space"],
        weights: Float64[Tensor, " sample *fine"],
    ) -> Float64[Tensor, "column sample mode"]:
        """Every term and every time derivative, weighted and tested against every mode; gaps count as zero."""
        return torch.cat([columns for _, columns in self.blocks(values, slopes, weights)], dim=2)

    def blocks(
        self,
        values: Float64[Tensor, "sample channel *space"],
        slopes: Float64[Tensor, "sample channel *space"],
        weights: Float64[Tensor, " sample *fine"],
    ) -> Iterator[tuple[int, Float64[Tensor, "column sample mode"]]]:
        """The columns of as many modes at once as memory is meant for, with the place of the first of them."""
        values, slopes = values.nan_to_num(), slopes.nan_to_num()
        factors = {
            Factor(name, word): along_axes(values[:, c], operators)
            for c, name in enumerate(self._names)
            for word, operators in self._operators.items()
        }
        rates = [along_axes(slopes[:, c], self._operators[""]) for c in range(len(self._names))]
        first, *others = self._tests
        n_others = math.prod(len(test) for test in others)
        n_columns = len(self._terms) + len(self._names)
        at_once = max(CHUNK_NUMBERS // (2 * n_columns * n_others * len(values)), 1)
        for start in range(0, len(first), at_once):
            tests = [first[start : start + at_once], *others]
            columns = [along_axes(evaluate_term(term, factors) * weights, tests).flatten(1) for term in self._terms]
            columns += [along_axes(rate * weights, tests).flatten(1) for rate in rates]
            yield start * n_others, torch.stack(columns)

    def weights(self, values: Float64[Tensor, "sample channel *space"]) -> Float64[Tensor, " sample *fine"]:
        """How far the equation at each point of the product grid counts: less towards walls, not at all near gaps."""
        missing = torch.isnan(values).any(dim=1)
        if missing.any():
            return self._fading.of(missing)
        return self._whole.expand(len(values), *self._whole.shape[1:])
