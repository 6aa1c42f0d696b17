"""Quantisation tables: those of the standard as libjpeg scales them, and the quality that a table comes nearest to.

ITU-T T.81, annex K, table K.1, scaled for a quality of 1 ... 100 by libjpeg's rule (jcparam.c): per cent of the table
5000 / quality below 50, else 200 - 2 quality, each step rounded and held to 1 ... 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int

from durr.degradation.jpeg import table_scale

SIDE = 8  # pixels of a block each way
QUALITIES = range(1, 101)
STANDARD_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
# the slow waves, where pictures have nearly all of their energy: (along columns, along rows), without the mean
FREQUENCIES = tuple((u, v) for u in range(SIDE) for v in range(SIDE) if 1 <= u + v <= 4)
WAVES = tuple(np.array(FREQUENCIES).T)  # the same as an index of tables
FAST_WEIGHT = 1e-3  # of the other waves: they decide only between tables that are equal in the slow ones
ROUNDING = 1e-12  # of float64, far below what one step makes


def luma_table(quality: int) -> Int[np.ndarray, "8 8"]:
    """The steps of libjpeg's luma table for a quality."""
    per_cent = int(table_scale(torch.tensor([float(quality)])).item())
    return np.clip((STANDARD_LUMA * per_cent + 50) // 100, 1, 255)


def quality_of_table(table: Sequence[int]) -> int:
    """The quality of a luma table, 64 steps row by row: that whose table is nearest, above all in the slow waves."""
    weights = np.full((SIDE, SIDE), FAST_WEIGHT)
    weights[WAVES] = 1.0
    return nearest_quality(np.asarray(table, dtype=np.float64).reshape(SIDE, SIDE), weights)


def nearest_quality(steps: Float[np.ndarray, "8 8"], weights: Float[np.ndarray, "8 8"]) -> int:
    """argmin over qualities of sum w (log step - log table)^2; of equals the one in the middle.

    Logarithms, because a step of 3 in place of 2 is as wrong as one of 30 in place of 20.
    """
    misfit = (weights * (np.log(_tables()) - np.log(steps)) ** 2).sum(axis=(1, 2))
    equal = np.flatnonzero(misfit <= misfit.min() + ROUNDING * weights.sum())
    return QUALITIES[int(equal[len(equal) // 2])]


@cache
def _tables() -> Int[np.ndarray, "quality 8 8"]:
    return np.array([luma_table(quality) for quality in QUALITIES])
