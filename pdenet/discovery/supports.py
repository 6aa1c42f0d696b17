"""Supports, sets of terms of an equation: fitted by least squares, and the best of every size.

All that is asked of the data is the normal matrix of the terms and the target.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float64

MAX_TERMS = 30
DEPENDENT = 1e-12  # share of a unit column (in power) left by the others below which rounding decides
FEW = 90  # terms of the largest set, but all, that others are left out of
STRIDE = 5  # terms by which such sets differ
N_ROUNDS = 20  # of adding a term and leaving out; most end after two or three


def solve_support(
    matrix: Float64[np.ndarray, "column column"], target: int, places: tuple[int, ...]
) -> tuple[Float64[np.ndarray, " term"], Float64[np.ndarray, "term term"]]:
    """Least-squares coefficients of some columns and the inverse of their normal matrix."""
    chosen = list(places)
    scale = 1.0 / np.sqrt(np.diag(matrix)[chosen])
    scaled = matrix[np.ix_(chosen, chosen)] * np.outer(scale, scale)
    try:
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:  # columns of few rows that depend on each other but for rounding
        inverse = np.linalg.pinv(scaled, rcond=DEPENDENT, hermitian=True)
    inverse *= np.outer(scale, scale)
    return inverse @ matrix[chosen, target], inverse


def forward_order(matrix: Float64[np.ndarray, "column column"], target: int, n_terms: int, size: int) -> list[int]:
    """Terms in the order in which each next one lowers the residual most (orthogonal least squares)."""
    columns = [*range(n_terms), target]
    left = matrix[np.ix_(columns, columns)].copy()
    start = np.maximum(np.diag(left).copy(), np.finfo(float).tiny)
    order: list[int] = []
    for _ in range(min(size, n_terms)):
        free = np.diag(left)[:-1] > DEPENDENT * start[:-1]
        free[order] = False
        if not free.any():
            break
        gain = np.where(free, left[:-1, -1] ** 2 / np.where(free, np.diag(left)[:-1], 1.0), -1.0)
        best = int(np.argmax(gain))
        order.append(best)
        left -= np.outer(left[:, best], left[best]) / left[best, best]
    return order


def backward_path(
    matrix: Float64[np.ndarray, "column column"], target: int, places: list[int]
) -> list[tuple[int, ...]]:
    """Supports got by leaving out, again and again, the term whose loss costs least; largest first."""
    chosen = list(places)
    scale = 1.0 / np.sqrt(np.diag(matrix)[chosen])
    inverse = np.linalg.inv(matrix[np.ix_(chosen, chosen)] * np.outer(scale, scale))
    right = matrix[chosen, target] * scale
    supports = []
    while chosen:
        supports.append(tuple(sorted(chosen)))
        coefficients = inverse @ right
        worst = int(np.argmin(coefficients**2 / np.diag(inverse)))
        kept = np.arange(len(chosen)) != worst
        column = inverse[kept, worst]
        inverse = inverse[np.ix_(kept, kept)] - np.outer(column, column) / inverse[worst, worst]
        right = right[kept]
        chosen.pop(worst)
    return supports


def path(matrix: Float64[np.ndarray, "column column"], target: int, n_terms: int) -> list[tuple[int, ...]]:
    """The best support found for every number of terms, from none to MAX_TERMS.

    Terms are added one by one, and left out one by one: from all of them, and from fewer, since among many that nearly
    depend on each other rounding decides which goes. Then a term is added to each support found, and others are left
    out again, until that is no improvement.
    """
    order = forward_order(matrix, target, n_terms, n_terms)
    best: dict[int, tuple[float, tuple[int, ...]]] = {0: (float(matrix[target, target]), ())}

    def improved(supports: Iterable[tuple[int, ...]]) -> bool:
        return sum(_take(best, matrix, target, places) for places in supports) > 0

    improved(tuple(sorted(order[:k])) for k in range(1, min(MAX_TERMS, len(order)) + 1))
    for n in {*range(MAX_TERMS, min(len(order), FEW), STRIDE), len(order)}:
        improved(backward_path(matrix, target, order[:n]))
    for _ in range(N_ROUNDS):
        larger = [_with_one_more(matrix, target, n_terms, best[k][1]) for k in sorted(best) if 0 < k < len(order)]
        if not sum(improved(backward_path(matrix, target, list(places))) for places in larger):
            break
    return [best[k][1] for k in sorted(best)]


def _take(
    best: dict[int, tuple[float, tuple[int, ...]]],
    matrix: Float64[np.ndarray, "column column"],
    target: int,
    places: tuple[int, ...],
) -> bool:
    """Put a support among the best of each size if it is; whether it was better than one before."""
    n = len(places)
    if not 0 < n <= MAX_TERMS:
        return False
    coefficients, _ = solve_support(matrix, target, places)
    left = float(matrix[target, target] - coefficients @ matrix[list(places), target])
    if n in best and left >= best[n][0]:
        return False
    best[n] = (left, places)
    return True


def _with_one_more(
    matrix: Float64[np.ndarray, "column column"], target: int, n_terms: int, places: tuple[int, ...]
) -> tuple[int, ...]:
    """The support with the term that lowers its residual most; as it is if all others depend on it."""
    chosen = list(places)
    columns = [*range(n_terms), target]
    through = matrix[np.ix_(columns, chosen)]
    scale = 1.0 / np.sqrt(np.diag(matrix)[chosen])
    solved = np.linalg.pinv(matrix[np.ix_(chosen, chosen)] * np.outer(scale, scale), rcond=DEPENDENT, hermitian=True)
    solved = solved * np.outer(scale, scale) @ through.T
    left = np.diag(matrix)[:n_terms] - np.einsum("ic,ci->i", through[:-1], solved[:, :-1])
    shared = matrix[:n_terms, target] - through[:-1] @ solved[:, -1]
    free = left > DEPENDENT * np.maximum(np.diag(matrix)[:n_terms], np.finfo(float).tiny)
    free[chosen] = False
    gain = np.where(free, shared**2 / np.where(free, left, 1.0), -1.0)
    return tuple(sorted([*chosen, int(np.argmax(gain))])) if free.any() else places
