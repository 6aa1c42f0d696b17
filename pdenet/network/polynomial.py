"""Coefficient algebra of polynomials in many variables: exact, or pruned with a proven bound on what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Integer
from numpy import ndarray

from backbone.errors import ResourceError

MAX_PAIRS = 5_000_000  # of terms in one product: 0.4 GB


@dataclass(frozen=True, eq=False)
class Polynomial:
    """p(x) = sum_m coefficients[m] prod_i x_i^exponents[m, i], every monomial once.

    dropped: at least the sum of the absolute coefficients of everything that was left out, that is a bound on the
    error of p wherever all |x_i| <= 1; 0 for an exact polynomial.
    """

    exponents: Integer[ndarray, "term variable"]
    coefficients: Float64[ndarray, " term"]
    dropped: float = 0.0

    def __len__(self) -> int:
        return len(self.coefficients)

    @property
    def norm(self) -> float:
        """Sum of the absolute coefficients."""
        return float(np.abs(self.coefficients).sum())

    def __call__(self, x: Float64[ndarray, "variable point"]) -> Float64[ndarray, " point"]:
        """The values at some points."""
        powers = x[None] ** self.exponents[:, :, None]
        values: ndarray = self.coefficients @ powers.prod(1)
        return values


def affine(
    weights: Sequence[float], bias: float, polynomials: Sequence[Polynomial], n_variables: int, tolerance: float
) -> Polynomial:
    """bias + sum_i weights[i] x_i + sum_k weights[n_variables + k] polynomials[k], without terms below `tolerance`."""
    identity = np.eye(n_variables, dtype=np.int16)
    exponents = [np.zeros((1, n_variables), np.int16), identity, *(p.exponents for p in polynomials)]
    products = zip(weights[n_variables:], polynomials, strict=True)
    coefficients = [np.array([bias]), np.array(weights[:n_variables]), *(w * p.coefficients for w, p in products)]
    dropped = sum((abs(w) * p.dropped for w, p in zip(weights[n_variables:], polynomials, strict=True)), 0.0)
    stacked = np.concatenate(exponents)
    first, group = _groups(stacked @ _packing(stacked.max(0)))
    return _pruned(stacked[first], np.bincount(group, np.concatenate(coefficients)), dropped, tolerance)


def multiply(p: Polynomial, q: Polynomial, tolerance: float) -> Polynomial:
    """p times q. Pairs of terms whose product lies below `tolerance` are not formed but counted as dropped.

    Raises ResourceError if more pairs remain than memory holds.
    """
    p, q = _by_size(p), _by_size(q)
    sizes_p, sizes_q = np.abs(p.coefficients), np.abs(q.coefficients)
    least = np.divide(tolerance, sizes_p, out=np.zeros_like(sizes_p), where=sizes_p > 0)
    kept = len(q) - np.searchsorted(sizes_q[::-1], least)  # of q's terms, largest first, for each term of p
    if kept.sum() > MAX_PAIRS:
        raise ResourceError(
            f"the expansion needs {kept.sum()} products of terms in one layer",
            where=f"tolerance {tolerance:g}",
            cure=f"expand with tolerance {max(10 * tolerance, 1e-9):g}, or prune the network",
        )
    tails = np.append(np.cumsum(sizes_q[::-1])[::-1], 0.0)
    left_out = float(sizes_p @ tails[kept])
    dropped = left_out + p.dropped * q.norm + p.norm * q.dropped + p.dropped * q.dropped
    rows = np.repeat(np.arange(len(p)), kept)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(kept) - kept, kept)
    packing = _packing(p.exponents.max(0, initial=0) + q.exponents.max(0, initial=0))
    first, group = _groups((p.exponents @ packing)[rows] + (q.exponents @ packing)[columns])
    exponents = p.exponents[rows[first]] + q.exponents[columns[first]]
    products = p.coefficients[rows] * q.coefficients[columns]
    return _pruned(exponents, np.bincount(group, products, len(first)), dropped, tolerance)


def _by_size(p: Polynomial) -> Polynomial:
    """The same polynomial, largest coefficients first."""
    order = np.argsort(-np.abs(p.coefficients), kind="stable")
    return Polynomial(p.exponents[order], p.coefficients[order], p.dropped)


def _pruned(exponents: ndarray, coefficients: ndarray, dropped: float, tolerance: float) -> Polynomial:
    coefficients = coefficients.astype(np.float64)  # the sum over no groups comes as integers
    sizes = np.abs(coefficients)
    keep = (sizes >= tolerance) & (sizes > 0)
    return Polynomial(exponents[keep], coefficients[keep], float(dropped + sizes[~keep].sum()))


def _packing(largest: Integer[ndarray, " variable"]) -> Integer[ndarray, "variable word"]:
    """exponents @ packing are whole numbers that add when monomials multiply: equal numbers, equal monomials.

    largest: bounds of the exponents to come. As many variables share a 63-bit word as fit.
    """
    packing = np.zeros((len(largest), len(largest)), np.int64)
    word, place = 0, 1
    for variable, radix in enumerate(int(bound) + 1 for bound in largest):
        if place * radix > 1 << 62:
            word, place = word + 1, 1
        packing[variable, word] = place
        place *= radix
    return packing[:, : word + 1]


def _groups(keys: Integer[ndarray, "term word"]) -> tuple[ndarray, ndarray]:
    """The first row of every distinct key, and the number of its key for every row."""
    flat = keys[:, 0] if keys.shape[1] == 1 else keys
    _, first, group = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    return first, group.reshape(-1)
