"""Margins of a grid, so that one centred kernel serves everywhere: wrapped around, or continued past a wall."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from backbone.errors import UsageError
from pdenet.fields.field import Boundary
from pdenet.filters.moments import Offsets, most_accurate


def extrapolation(margin: int, points: int, like: Tensor) -> Float[Tensor, "margin points"]:
    """Values at offsets -margin..-1 of the polynomial through the offsets 0..points-1.

    A centred kernel of 2 margin + 1 points that reaches past a wall then equals a one-sided stencil on `points`
    grid points: an m-th derivative of it keeps order points - m.
    """
    rows = []
    for ghost in range(-margin, 0):
        offsets: Offsets = tuple(k - ghost for k in range(points))
        rows.append(most_accurate((0,), (offsets,), dtype=like.dtype, device=like.device))
    return torch.stack(rows)


def with_margins(
    u: Float[Tensor, "*batch_space"], margin: int, boundary: Sequence[Boundary], points: int
) -> Float[Tensor, "*wider"]:
    """The last axes of u with `margin` more values at either end.

    boundary: per space axis, "periodic" (wrapped) or "none" (extrapolated from the `points` nearest to the wall).
    Raises UsageError if an axis is shorter than a margin or an extrapolation needs.
    """
    if margin == 0:
        return u
    for axis, side in enumerate(boundary, start=-len(boundary)):
        n = u.shape[axis]
        if n < (margin if side == "periodic" else points):
            raise UsageError(
                f"{n} grid points are too few for a kernel of {2 * margin + 1} points",
                where=f"space axis {axis + len(boundary)}, boundary '{side}'",
                cure="use a smaller kernel or a finer grid",
            )
        if side == "periodic":
            u = torch.cat([u.narrow(axis, n - margin, margin), u, u.narrow(axis, 0, margin)], axis)
        else:
            weights = extrapolation(margin, points, u)
            first = _continued(u.narrow(axis, 0, points), weights, axis)
            last = _continued(u.narrow(axis, n - points, points), weights.flip(0, 1), axis)
            u = torch.cat([first, u, last], axis)
    return u


def _continued(u: Tensor, weights: Float[Tensor, "margin points"], axis: int) -> Tensor:
    return torch.movedim(torch.tensordot(u, weights, dims=([axis], [1])), -1, axis)
