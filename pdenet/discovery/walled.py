"""An axis seen from nearby: stencils in place of waves, for data with walls or gaps.

The equation is asked at the inner points, those that all stencils reach, and tested like on a periodic axis, by waves
phi_k; but the waves fade out towards walls and gaps:

    sum_x w(x) phi_k(x) (u_t - F(u, u_x, ...))(x) = 0,       w smooth, 0 wherever a stencil meets a wall or a gap.

Summation by parts then moves derivatives from the data to w phi_k without a remainder, which is the weak form: noise is
averaged before it is magnified. (Messenger and Bortz, Weak SINDy for PDEs, J. Comput. Phys. 443 (2021), have
polynomials in place of w phi_k.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float64, Int64

from pdenet.filters.moments import most_accurate

WALL_ACCURACY = 6  # of the stencils, in orders of dx
WHOLE = 1.0 - 1e-9  # share of a neighbourhood that counts as all of it, rounding aside
BLURS = 3  # a box blurred so often is smooth enough for derivatives of order 2 and 3


@dataclass(frozen=True)
class WalledAxis:
    """Centred stencils on n points with spacing dx, tested against the waves |k| <= tested of the inner points.

    fade: half of the blur's width; the waves rise from 0 to 1 over 6 fade + 1 points. accuracy: of the stencils, in
    orders of dx. spare: points left out at either wall although the stencils reach them.
    """

    n_points: int
    dx: float
    max_order: int
    tested: int
    fade: int = 0
    accuracy: int = WALL_ACCURACY
    spare: int = 0

    @property
    def margin(self) -> int:
        """Points left out at either wall."""
        return (self.max_order + self.accuracy) // 2 + self.spare

    @property
    def n_inner(self) -> int:
        """Points at which the equation is asked."""
        return self.n_points - 2 * self.margin

    def derivative(self, order: int) -> Float64[np.ndarray, "inner point"]:
        """Values of the `order`-th derivative at the inner points."""
        half = self.margin - self.spare
        offsets = tuple(range(-half, half + 1))
        weights = most_accurate((order,), [offsets], dtype=torch.float64, device=torch.device("cpu")).numpy()
        matrix = np.zeros((self.n_inner, self.n_points))
        for row in range(self.n_inner):
            first = row + self.spare
            matrix[row, first : first + len(weights)] = weights / self.dx**order
        return matrix

    def reach(self) -> Float64[np.ndarray, "inner point"]:
        """1 where the equation at an inner point is made of a point, 0 elsewhere."""
        offset = np.arange(self.n_points)[None, :] - np.arange(self.n_inner)[:, None]
        return ((offset >= 0) & (offset <= 2 * self.margin)).astype(np.float64)

    @cached_property
    def wave_numbers(self) -> Int64[np.ndarray, " mode"]:
        """|k| of each tested real mode: 0, 1, 1, 2, 2, ..."""
        return np.repeat(np.arange(self.tested + 1), 2)[1:]

    def test(self) -> Float64[np.ndarray, "mode inner"]:
        """Real Fourier coefficients over the inner points, of norm 1."""
        angle = 2.0 * np.pi * np.arange(self.n_inner) / self.n_inner
        rows = [np.full(self.n_inner, 1.0)]
        for k in range(1, self.tested + 1):
            rows += [np.sqrt(2.0) * np.cos(k * angle), np.sqrt(2.0) * np.sin(k * angle)]
        return np.stack(rows) / np.sqrt(self.n_inner)

    def nearby(self) -> Float64[np.ndarray, "inner inner_"]:
        """The share that each point has in the neighbourhood of another, from which the rise to 1 is made."""
        half = BLURS * self.fade
        return self._band(np.full(2 * half + 1, 1.0 / (2 * half + 1)))

    def blur(self) -> Float64[np.ndarray, "inner inner_"]:
        """The rise of the waves from 0 to 1: a box, several times."""
        return np.linalg.matrix_power(self._band(np.full(2 * self.fade + 1, 1.0 / (2 * self.fade + 1))), BLURS)

    def fading(self) -> Float64[np.ndarray, " inner"]:
        """The weights w of data without gaps."""
        return self.blur() @ (self.nearby().sum(axis=1) > WHOLE).astype(np.float64)

    def tested_values(self) -> Float64[np.ndarray, "mode point"]:
        """The tested modes of data without gaps."""
        return (self.test() * self.fading()) @ self.derivative(0)

    def _band(self, weights: Float64[np.ndarray, " offset"]) -> Float64[np.ndarray, "inner inner_"]:
        """The matrix that applies weights at the offsets -r..r; beyond the inner points there is nothing."""
        half = len(weights) // 2
        return sum(w * np.eye(self.n_inner, k=k) for k, w in zip(range(-half, half + 1), weights, strict=True))
