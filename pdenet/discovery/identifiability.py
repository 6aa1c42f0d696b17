"""Can the data tell the terms of an equation from others? Rivals of each term, and of a wave of fixed shape.

A rival of a chosen term is another one that fits as well in its place: beside the rival the term is no longer
significant. With s the term, j the rival and P the projection onto what the other terms of the equation leave over,

    t_s(j) = <P_j P s, P u_t> / |P_j P s|,        P_j the projection onto what P j leaves over,

in units of the standard error of its coefficient (Frisch, Waugh and Lovell). Proportional columns, such as u and u_xx
of a single wave number, give 0. A library larger than selection's is searched, since a rival need not be simple, and
on waves that the products of the data reach although the data do not, since a rival must leave those at rest.

u_t = -c u_x fits every wave of fixed shape, whatever equation it obeys. Where transport alone is found, models
without it are looked for that leave no more than noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from backbone.errors import UntrustedResult
from pdenet.discovery.normal_equations import NormalEquations
from pdenet.discovery.select import (
    N_SWEEPS,
    first_weights,
    group_weights,
    residual_power,
    rounding_power,
    significance,
    weighted_gram,
)
from pdenet.discovery.supports import DEPENDENT, path, solve_support
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term

UNDECIDED = 2.0  # standard errors: at 5 % nothing speaks for a term beside a rival that it is no further from
CHECKED = 8  # closest rivals of a term whose standard errors are also counted by blocks
MOST_TERMS = 3  # of a model in place of transport: as many as the equations of travelling waves usually have
# Noise weakens high derivatives and hides fast waves: the equation that a noisy soliton obeys left up to 3 times what
# noise and transport leave; models that are none left 28 times and more, where noise did not hide the shape itself.
AS_WELL = 10.0
AS_MUCH = 0.9  # share of what transport explains that another model must explain as well

NoisePower = Callable[[Equation], Float64[np.ndarray, "block shell"]]


class CannotTell(UntrustedResult):
    """The data do not decide the equation."""

    kind = "CANNOT-TELL"


@dataclass(frozen=True)
class Rival:
    """A term that could stand in place of a chosen one.

    correlation: of the two, once the other terms are taken out. separation: |t| of the chosen term beside the rival.
    equation: the model with the rival in place, fitted anew.
    """

    term: Term
    chosen: Term
    correlation: float
    separation: float
    equation: Equation


@dataclass(frozen=True)
class Identifiability:
    """What the data say about the terms of one equation.

    condition: of the chosen columns, each scaled to norm 1. closest: the nearest rival of every chosen term, where it
    has any. undecided: all rivals that fit as well. instead: equations without transport that leave no more than noise.
    """

    condition: float
    closest: tuple[Rival, ...]
    undecided: tuple[Rival, ...]
    instead: tuple[Equation, ...]


def identify(
    equations: NormalEquations, name: str, support: Sequence[Term], noise_power: NoisePower
) -> Identifiability:
    """Compare the terms of an equation with all others of a library that holds them.

    noise_power: variance that measurement noise gives the residual of an equation in each group.
    """
    places = tuple(equations.terms.index(term) for term in support)
    if not places:
        return Identifiability(1.0, (), (), ())
    weights = _weights(equations, name, places)
    matrix = weighted_gram(equations.gram, weights)
    scale = 1.0 / np.sqrt(np.diag(matrix)[list(places)])
    condition = np.linalg.cond(matrix[np.ix_(places, places)] * np.outer(scale, scale)) ** 0.5
    rivals = [_rivals(equations, name, weights, matrix, places, k) for k in range(len(places))]
    is_transport = all(term.degree == 1 and term.order == 1 and term.factors[0].variable == name for term in support)
    return Identifiability(
        condition=float(condition),
        closest=tuple(row[0] for row in rivals if row),
        undecided=tuple(rival for row in rivals for rival in row if rival.separation <= UNDECIDED),
        instead=_without_transport(equations, name, places, noise_power) if is_transport else (),
    )


def _weights(equations: NormalEquations, name: str, places: tuple[int, ...]) -> Float64[np.ndarray, "block shell"]:
    """Inverse residual variance of each group under the chosen terms."""
    target = equations.target(name)
    weights = np.ones(equations.rows.shape)
    for _ in range(N_SWEEPS):
        coefficients, _ = solve_support(weighted_gram(equations.gram, weights), target, places)
        weights = group_weights(equations, target, places, coefficients)
    return weights


def _rivals(
    equations: NormalEquations,
    name: str,
    weights: Float64[np.ndarray, "block shell"],
    matrix: Float64[np.ndarray, "column column"],
    places: tuple[int, ...],
    k: int,
) -> list[Rival]:
    """The closest rivals of the k-th chosen term, closest first."""
    target, term = equations.target(name), places[k]
    others = [place for place in places if place != term]
    left = without(matrix, others)
    power, start = np.diag(left)[: equations.n_terms], np.diag(matrix)[: equations.n_terms]
    free = power > DEPENDENT * np.maximum(start, np.finfo(float).tiny)
    free[list(places)] = False
    able = np.flatnonzero(free)
    told = separations(left, target, term, able)
    correlation = left[term, able] / np.sqrt(power[able] * left[term, term])
    closest = np.lexsort([able, told])[:CHECKED]
    rows = []
    for at in closest:
        both = (*places, int(able[at]))
        separation = min(float(told[at]), _separation(equations, weights, matrix, target, both, k)) if told[at] else 0.0
        swapped = tuple(int(able[at]) if place == term else place for place in places)
        rows.append(
            Rival(
                equations.terms[able[at]],
                equations.terms[term],
                float(correlation[at]),
                separation,
                _fitted(equations, name, matrix, swapped),
            )
        )
    return sorted(rows, key=lambda rival: rival.separation)


def without(
    matrix: Float64[np.ndarray, "column column"], places: Sequence[int]
) -> Float64[np.ndarray, "column column"]:
    """A normal matrix of what some of its columns leave over of the others."""
    chosen = list(places)
    return matrix - matrix[:, chosen] @ np.linalg.solve(matrix[np.ix_(chosen, chosen)], matrix[chosen])


def separations(
    left: Float64[np.ndarray, "column column"], target: int, term: int, rivals: Int[np.ndarray, " rival"]
) -> Float64[np.ndarray, " rival"]:
    """|t| of a term beside each rival, from the normal matrix that the others leave; 0 if they are proportional."""
    along = left[term, rivals] / left[rivals, rivals]
    rest = left[term, term] - left[term, rivals] * along
    told = np.abs(left[term, target] - left[rivals, target] * along) / np.sqrt(np.maximum(rest, 1e-300))
    return np.where(rest <= DEPENDENT * left[term, term], 0.0, told)  # proportional, but for rounding


def _separation(
    equations: NormalEquations,
    weights: Float64[np.ndarray, "block shell"],
    matrix: Float64[np.ndarray, "column column"],
    target: int,
    places: tuple[int, ...],
    k: int,
) -> float:
    """|t| of the k-th term of a model, by the standard errors that selection uses."""
    coefficients, inverse = solve_support(matrix, target, places)
    return float(significance(equations.gram, weights, target, places, coefficients, inverse)[k])


def _fitted(
    equations: NormalEquations, name: str, matrix: Float64[np.ndarray, "column column"], places: tuple[int, ...]
) -> Equation:
    coefficients, _ = solve_support(matrix, equations.target(name), places)
    return Equation.of(name, [equations.terms[p] for p in places], coefficients.tolist())


def _without_transport(
    equations: NormalEquations, name: str, places: tuple[int, ...], noise_power: NoisePower
) -> tuple[Equation, ...]:
    """The smallest model without the chosen terms that leaves about as little as noise and they do, if any does."""
    target = equations.target(name)
    coefficients, _ = solve_support(equations.gram.sum(axis=(0, 1)), target, places)
    power = float(equations.gram[..., target, target].sum())
    by_transport = residual_power(equations.gram, target, places, coefficients)
    floor = equations.rows * rounding_power(equations, target)
    rest = equations.restrict([term for k, term in enumerate(equations.terms) if k not in places])
    matrix = weighted_gram(rest.gram, first_weights(rest, name))
    for support in path(matrix, rest.target(name), rest.n_terms)[1 : MOST_TERMS + 1]:
        other = _fitted(rest, name, matrix, support)
        left = residual_power(rest.gram, rest.target(name), support, np.array(other.coefficients))
        allowed = np.maximum(equations.rows * noise_power(other), np.maximum(by_transport, floor))
        gain, best = (power - unexplained.sum() for unexplained in (left, by_transport))
        if left.sum() <= AS_WELL * allowed.sum() and gain >= AS_MUCH * best:
            return (other,)
    return ()
