"""How sure the numbers of a fit are, from how much blocks of data disagree about them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from pdenet.discovery.varying.design import Design
from pdenet.discovery.varying.moments import Moments


def covariance(
    moments: Moments,
    target: int,
    design: Design,
    numbers: Float64[np.ndarray, " unknown"],
    inverse: Float64[np.ndarray, "unknown unknown_"],
) -> Float64[np.ndarray, "unknown unknown_"]:
    """Covariance of the numbers: inverse (sum_b g_b g_b^T) inverse, g_b the pull of block b on the numbers.

    Right for residuals of any size and correlation within a block (Liang and Zeger, Biometrika 73 (1986)); blocks count
    as independent.
    """
    signed = -design.fields(numbers, moments.clean.shape[1])
    signed[target] = 1.0
    left = np.einsum("bklp,lp->bkp", moments.clean, signed, optimize=True)
    pulls = np.empty((len(left), design.n_unknowns))
    for column in np.unique(design.column):
        rows = design.column == column
        pulls[:, rows] = left[:, column] @ design.values[:, design.function[rows]]
    pulls -= pulls.mean(axis=0)
    moved = pulls @ inverse
    return moved.T @ moved * (len(pulls) / (len(pulls) - 1))


def deviations(
    functions: Float64[np.ndarray, "point unknown"], spread: Float64[np.ndarray, "unknown unknown_"]
) -> Float64[np.ndarray, " point"]:
    """Standard error at every point of a sum of functions whose numbers have a covariance."""
    return np.sqrt(np.maximum(np.einsum("pu,uv,pv->p", functions, spread, functions, optimize=True), 0.0))
