"""Moments of convolution kernels: which derivative a kernel is, to what order, and the exact way back.

A kernel q over offsets k (one tuple of whole numbers per axis) has the moments

    M_i = 1/i! sum_k k^i q_k,        i a multi-index, i! and k^i its products,

so that on a grid of spacing dx, by Taylor,  sum_k q_k u(x + k dx) = sum_i M_i dx^|i| D^i u(x).
Long, Lu, Dong, PDE-Net 2.0, J. Comput. Phys. 399 (2019), equations (5)-(8). Along one axis of n offsets
M = A q with A_ik = k^i / i!, i = 0..n-1, a Vandermonde matrix: moments and kernel determine each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from backbone.errors import UsageError

Offsets = tuple[int, ...]
Derivative = tuple[int, ...]  # order along each axis of the array
Stencil = Literal["accurate", "central", "upwind"]

_NARROW: dict[tuple[str, int], Offsets] = {
    ("upwind", 1): (0, 1, 2),
    ("central", 1): (-1, 0, 1),
    ("upwind", 2): (-1, 0, 1),
    ("central", 2): (-1, 0, 1),
}


def centred(size: int) -> Offsets:
    """The offsets -r..r of a window of odd size; UsageError on an even one."""
    if size < 1 or size % 2 == 0:
        raise UsageError(f"a kernel of {size} points has no centre", where="size", cure="give an odd size: 3, 5 or 7")
    return tuple(range(-(size // 2), size // 2 + 1))


@lru_cache(maxsize=128)
def _to_moments(offsets: Offsets) -> tuple[tuple[float, ...], ...]:
    """A_ik = k^i / i!, every entry rounded once."""
    return tuple(tuple(float(Fraction(k**i, factorial(i))) for k in offsets) for i in range(len(offsets)))


@lru_cache(maxsize=128)
def _to_kernel(offsets: Offsets) -> tuple[tuple[float, ...], ...]:
    """The inverse of A, worked out in rational numbers: (A^-1)_ki = i! times the coefficient of x^i in the
    Lagrange polynomial that is 1 at offset k and 0 at the others."""
    rows = []
    for k in offsets:
        basis = [Fraction(1)]
        for other in offsets:
            if other != k:
                shifted = [Fraction(0), *basis]
                scaled = [-other * c for c in basis] + [Fraction(0)]
                basis = [(a + b) / (k - other) for a, b in zip(shifted, scaled, strict=True)]
        rows.append(tuple(float(c * factorial(i)) for i, c in enumerate(basis)))
    return tuple(rows)


def _along_axes(array: Tensor, matrices: Sequence[tuple[tuple[float, ...], ...]]) -> Tensor:
    """Multiply every one of the last axes by its matrix."""
    for axis, rows in enumerate(matrices, start=-len(matrices)):
        matrix = torch.tensor(rows, dtype=array.dtype, device=array.device)
        array = torch.movedim(torch.tensordot(array, matrix, dims=([axis], [1])), -1, axis)
    return array


def moments_from_kernel(kernel: Float[Tensor, "*kernel"], offsets: Sequence[Offsets]) -> Float[Tensor, "*kernel"]:
    """The moments of a kernel whose last axes run over `offsets`; axes before them are a batch."""
    return _along_axes(kernel, [_to_moments(axis) for axis in offsets])


def kernel_from_moments(moments: Float[Tensor, "*kernel"], offsets: Sequence[Offsets]) -> Float[Tensor, "*kernel"]:
    """The only kernel on `offsets` with these moments: the inverse of `moments_from_kernel`."""
    return _along_axes(moments, [_to_kernel(axis) for axis in offsets])


def unit_moments(
    derivative: Derivative, shape: Sequence[int], *, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "*kernel"]:
    """1 at the derivative's own multi-index, 0 elsewhere: the moments that D^derivative would have."""
    _demand_points(shape, [order + 1 for order in derivative], f"a derivative of orders {derivative}")
    moments = torch.zeros(tuple(shape), dtype=dtype, device=device)
    moments[derivative] = 1.0
    return moments


def fixed_moments(
    derivative: Derivative, accuracy: int, shape: Sequence[int], *, device: torch.device
) -> Bool[Tensor, "*kernel"]:
    """The moments that decide D^derivative to order dx^accuracy: all of total order < |derivative| + accuracy.

    They must be those of `unit_moments`; the others are free. UsageError if the kernel is too small to hold them.
    """
    if accuracy < 1:
        raise UsageError(f"accuracy {accuracy} fixes nothing", where="accuracy", cure="give 1, 2 or more")
    needed = sum(derivative) + accuracy
    _demand_points(shape, [needed] * len(shape), f"a derivative of orders {derivative} to accuracy {accuracy}")
    totals = torch.zeros(tuple(shape), dtype=torch.long, device=device)
    for axis, size in enumerate(shape):
        order = torch.arange(size, device=device)
        totals = totals + order.reshape([-1 if other == axis else 1 for other in range(len(shape))])
    return totals < needed


def most_accurate(
    derivative: Derivative, offsets: Sequence[Offsets], *, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "*kernel"]:
    """The stencil of D^derivative of highest order on any offsets, centred or one-sided (for dx = 1).

    All other moments vanish, so it is the product of the one-dimensional stencils: exact for every polynomial
    whose degree along each axis is below the number of offsets there.
    """
    shape = [len(axis) for axis in offsets]
    return kernel_from_moments(unit_moments(derivative, shape, dtype=dtype, device=device), offsets)


def starting_kernel(
    derivative: Derivative, size: int, stencil: Stencil, *, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "*kernel"]:
    """The kernel a learned filter starts from, on the centred window of `size` points per axis.

    "accurate": the most accurate one. "upwind" and "central": PDE-Net's, a pure first derivative by
    (-3, 4, -1)/2 or (-1, 0, 1)/2, a pure second derivative by (1, -2, 1), any other the most accurate one.
    """
    window = centred(size)
    pure = sum(derivative) == max(derivative)
    narrow = _NARROW.get((stencil, sum(derivative))) if pure else None
    if narrow is None:
        return most_accurate(derivative, (window,) * len(derivative), dtype=dtype, device=device)
    offsets = tuple(narrow if order else (0,) for order in derivative)
    if any(k not in window for k in narrow):
        raise UsageError(
            f"the {stencil} stencil {narrow} does not fit into {size} points",
            where="size",
            cure=f"give size {2 * max(narrow) + 1} or more",
        )
    kernel = torch.zeros((size,) * len(derivative), dtype=dtype, device=device)
    place = tuple(slice(axis[0] + size // 2, axis[-1] + size // 2 + 1) for axis in offsets)
    kernel[place] = most_accurate(derivative, offsets, dtype=dtype, device=device)
    return kernel


def _demand_points(shape: Sequence[int], needed: Sequence[int], what: str) -> None:
    if any(size < points for size, points in zip(shape, needed, strict=True)):
        raise UsageError(
            f"{' x '.join(map(str, shape))} points cannot hold {what}",
            where="size",
            cure=f"give kernels of {max(needed) + 1 - max(needed) % 2} points",
        )
