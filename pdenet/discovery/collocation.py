"""Where and how the equation is asked to hold: linear operators from snapshots to collocation values.

In time, a polynomial of degree d is fitted by least squares to every window of m snapshots and the equation is asked
where the derivative of the fit is most accurate: at the d Gauss-Legendre points of the window, or for second
derivatives at the d - 1 points where that of the first polynomial that the fit lacks is zero. In space, a periodic
axis is a trigonometric polynomial with |k| <= cutoff, evaluated on a grid fine enough for alias-free products, and
the residual is tested against the modes |k| <= tested (a Galerkin projection); an axis with walls is differentiated
by the most accurate centred stencils, at the points where they fit, and tested against waves that fade out towards the
walls. Every operator is a small dense matrix, so data of any dimension is reduced axis by axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64
from numpy.polynomial import legendre

from backbone.errors import InputError
from pdenet.discovery.walled import WalledAxis
from pdenet.fields.field import Field

FADES = (8, 4, 2, 1)  # points; the widest is taken that leaves half of the weight


@dataclass(frozen=True)
class TimeWindow:
    """Least-squares polynomials of `degree` over windows of `width` snapshots, asked at the best points.

    time_order: of the derivative that is asked for, 1 or 2.
    """

    width: int
    degree: int
    time_order: int = 1

    @cached_property
    def points(self) -> Float64[np.ndarray, " point"]:
        """Where the equation is asked, from -1 to 1 over the window."""
        if self.time_order == 1:
            return legendre.leggauss(self.degree)[0]
        return legendre.legroots(legendre.legder(self._lacked(self.degree + 1), 2))

    def operators(self, dt: float) -> tuple[Float64[np.ndarray, "point width"], ...]:
        """Matrices giving the value of the fit at the points and its time derivatives, up to that asked for."""
        fit = np.linalg.pinv(legendre.legvander(self.knots, self.degree))
        return tuple(self._derivative(m, dt) @ fit for m in range(self.time_order + 1))

    @property
    def knots(self) -> Float64[np.ndarray, " width"]:
        """The snapshots, from -1 to 1."""
        return np.linspace(-1.0, 1.0, self.width)

    def missing(self, dt: float) -> tuple[Float64[np.ndarray, " width"], Float64[np.ndarray, " point"]]:
        """What gives the Legendre coefficient of the first polynomial whose derivative the fit lacks at the points, and
        that derivative: of degree + 1, or of degree + 2 for second derivatives."""
        degree = self.degree + self.time_order
        coefficient = np.linalg.pinv(legendre.legvander(self.knots, degree))[-1]
        lacked = np.eye(degree + 1)[-1] if self.time_order == 1 else self._lacked(degree)
        rise = legendre.legval(self.points, legendre.legder(lacked, self.time_order))
        return coefficient, rise * self._per_time(dt) ** self.time_order

    def _lacked(self, degree: int) -> Float64[np.ndarray, " coefficient"]:
        """What the fit leaves of a Legendre polynomial."""
        whole = np.eye(degree + 1)[-1]
        fit = np.linalg.pinv(legendre.legvander(self.knots, self.degree)) @ legendre.legval(self.knots, whole)
        whole[: len(fit)] -= fit
        return whole

    def _derivative(self, m: int, dt: float) -> Float64[np.ndarray, "point coefficient"]:
        """The m-th time derivative at the points from the Legendre coefficients."""
        rows = [legendre.legval(self.points, legendre.legder(unit, m)) for unit in np.eye(self.degree + 1)]
        return np.stack(rows, axis=1) * self._per_time(dt) ** m

    def _per_time(self, dt: float) -> float:
        return 2.0 / ((self.width - 1) * dt)

    def starts(self, n_times: int) -> list[int]:
        """First snapshot of each window; neighbours share their end snapshot, the last one ends the run."""
        starts = list(range(0, n_times - self.width + 1, self.width - 1))
        if starts[-1] != n_times - self.width:
            starts.append(n_times - self.width)
        return starts


@dataclass(frozen=True)
class PeriodicAxis:
    """Fourier collocation of n points over `length`, keeping |k| <= cutoff and testing |k| <= tested."""

    n_points: int
    length: float
    cutoff: int
    tested: int
    n_products: int  # points of the finer grid on which products are formed

    def derivative(self, order: int) -> Float64[np.ndarray, "fine point"]:
        """Values of the `order`-th derivative of the low-passed data on the finer grid."""
        k = np.arange(self.cutoff + 1)
        spectrum = np.fft.rfft(np.eye(self.n_points), axis=0)[: self.cutoff + 1]
        spectrum *= ((2j * np.pi / self.length * k) ** order)[:, None]
        return np.fft.irfft(spectrum, n=self.n_products, axis=0) * (self.n_products / self.n_points)

    @cached_property
    def wave_numbers(self) -> Int64[np.ndarray, " mode"]:
        """|k| of each tested real mode: 0, 1, 1, 2, 2, ..."""
        return np.repeat(np.arange(self.tested + 1), 2)[1:]

    def reach(self) -> Float64[np.ndarray, "fine point"]:
        """Every value on the finer grid is made of every point."""
        return np.ones((self.n_products, self.n_points))

    def nearby(self) -> Float64[np.ndarray, "fine fine_"]:
        """No wall is near."""
        return np.eye(self.n_products)

    def blur(self) -> Float64[np.ndarray, "fine fine_"]:
        """Waves do not fade."""
        return np.eye(self.n_products)

    def tested_values(self) -> Float64[np.ndarray, "mode point"]:
        """The tested modes of the data themselves."""
        return self.test() @ self.derivative(0)

    def test(self) -> Float64[np.ndarray, "mode fine"]:
        """Real Fourier coefficients, scaled so that white noise on the data grid keeps its variance."""
        angle = 2.0 * np.pi * np.arange(self.n_products) / self.n_products
        rows = [np.full(self.n_products, 1.0)]
        for k in range(1, self.tested + 1):
            rows += [np.sqrt(2.0) * np.cos(k * angle), np.sqrt(2.0) * np.sin(k * angle)]
        return np.stack(rows) * (np.sqrt(self.n_points) / self.n_products)


Axis = PeriodicAxis | WalledAxis


@dataclass(frozen=True)
class Collocation:
    """The operators of one data set: a window in time and one axis operator per space axis."""

    window: TimeWindow
    axes: tuple[Axis, ...]


def space_operators(field: Field, *, cutoffs: Sequence[int], max_order: int, degree: int) -> tuple[Axis, ...]:
    """Axis operators for products of `degree` factors and derivatives up to `max_order`.

    cutoffs: largest wave number kept on each axis, or tested on axes with walls. Wave numbers above a third of the grid
    are kept in the products but not tested, since solvers that dealias leave none there and sampling folds some back.
    """
    operators: list[Axis] = []
    for n, dx, side, cutoff in zip(field.space_shape, field.dx, field.boundary, cutoffs, strict=True):
        if side == "periodic":
            tested = min(cutoff, (n - 1) // 3)
            # products up to degree * cutoff must not fold back onto the tested modes
            fine = max(degree * cutoff + tested + 1, 2)
            operators.append(PeriodicAxis(n, n * dx, cutoff, tested, fine))
        else:
            operators.append(_walled(n, dx, max_order, cutoff))
    return tuple(operators)


def _walled(n: int, dx: float, max_order: int, cutoff: int) -> WalledAxis:
    """The axis whose waves fade out as gently as leaves half of their weight."""
    plain = WalledAxis(n, dx, max_order, tested=0)
    if plain.n_inner < 1:
        raise InputError(
            f"{n} points between walls: stencils for derivatives of order {max_order} need {n - plain.n_inner + 1}",
            where=f"an axis with spacing {dx:g}",
            cure=f"more grid points, or --order {max(max_order - 1, 1)}",
        )
    plain = replace(plain, tested=min(cutoff, (plain.n_inner - 1) // 3))
    gentle = [axis for fade in FADES if (axis := replace(plain, fade=fade)).fading().mean() >= 0.5]
    return gentle[0] if gentle else plain
