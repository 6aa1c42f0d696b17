"""Quantisation steps read from pixels: the coefficients of a decoded picture lie near multiples of them.

For the coefficient x of one wave and a step q, log p(x | q) / p(x) is summed over blocks, where p(x) is a Laplace
density and p(x | q) puts its mass at the multiples of q, blurred by the rounding of the pixels (maximum likelihood
after Fan and de Queiroz, IEEE TIP 12, 2003). On the right grid of blocks every block adds to the evidence, on a wrong
one it takes away.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, Float32, Int

from durr.jpeg.tables import FREQUENCIES, SIDE

BLUR = 0.35  # standard deviation of a coefficient of pixels rounded to whole numbers, 1/sqrt(12), and a little more
ODD = 0.02  # share of the blocks that may be anything: edited, or clipped on the way

Coefficients = Float32[np.ndarray, "*place wave block"]


def coefficients(blocks: Float32[np.ndarray, "*place block 8 8"]) -> Coefficients:
    """The coefficients of blocks at `FREQUENCIES`, orthonormal as in JPEG."""
    return np.einsum("...bij,fij->...fb", blocks, _waves(), optimize=True)


def evidence(x: Coefficients, steps: Int[np.ndarray, " step"]) -> Float32[np.ndarray, "*place wave step"]:
    """log p(x | step) / p(x), summed over blocks."""
    q = steps.astype(np.float32)
    size = np.abs(x)[..., None]
    spread = np.maximum(size.mean(-2, keepdims=True), np.float32(BLUR))
    multiple = np.rint(size / q)
    off = size - multiple * q
    # mass over density: a step of the density at the multiple, and at zero all that is within half a step
    at_zero = np.log(-np.expm1(-q / (2 * spread)) * 2 * spread)
    mass = np.where(multiple == 0, at_zero, np.log(q)) + off / spread
    near = -0.5 * (off / np.float32(BLUR)) ** 2 - np.float32(np.log(BLUR * np.sqrt(2 * np.pi)))
    return np.log((1 - ODD) * np.exp(mass + near) + ODD).sum(-2)


@cache
def _waves() -> Float32[np.ndarray, "wave 8 8"]:
    """The waves of the discrete cosine transform at `FREQUENCIES`, of norm 1."""
    place = (2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE)
    cosines = np.cos(np.arange(SIDE)[:, None] * place) * np.sqrt(2 / SIDE)
    cosines[0] /= np.sqrt(2)
    waves: Float[np.ndarray, "wave 8 8"] = np.array([np.outer(cosines[u], cosines[v]) for u, v in FREQUENCIES])
    return waves.astype(np.float32)
