"""Combinations that make no sense are refused here, before the first step."""

from __future__ import annotations

from torch import Tensor

from backbone.dynamics import Dynamics
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme


def check(f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, *, save: str) -> None:
    """Raise UsageError if dynamics, state, scheme and what is saved do not fit together."""
    if save not in ("last", "all"):
        raise UsageError(f"save='{save}' is unknown", where="integrate(save=)", cure="use save='last' or save='all'")
    if not (y0.is_floating_point() or y0.is_complex()):
        raise UsageError(f"the state is {y0.dtype}", where="integrate(y0=)", cure="pass y0.double()")
    if y0.ndim < 1 or len(y0) == 0:
        raise UsageError(
            f"the state has shape {tuple(y0.shape)}", where="integrate(y0=)", cure="pass a batch of states, batch first"
        )
    field = f.on(*grid.steps[0])
    if not isinstance(field, scheme.requires):
        raise UsageError(
            f"{type(scheme).__name__} steps a {scheme.requires.__name__}, the dynamics give a {type(field).__name__}",
            where="integrate(scheme=)",
            cure=f"write the dynamics as a {scheme.requires.__name__}, or use RK4",
        )
