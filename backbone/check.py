"""Combinations that make no sense are refused here, before the first step."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from backbone.dynamics import Dynamics, SemiLinear, VectorField
from backbone.errors import UsageError
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.schemes.scheme import Scheme
from backbone.structured import SecondOrder, Separable


def check(f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, *, gradient: Gradient, save: str) -> None:
    """Raise UsageError if dynamics, state, scheme, gradient and what is saved do not fit together."""
    if save not in ("last", "all"):
        raise UsageError(f"save='{save}' is unknown", where="integrate(save=)", cure="use save='last' or save='all'")
    if not (y0.is_floating_point() or y0.is_complex()):
        raise UsageError(f"the state is {y0.dtype}", where="integrate(y0=)", cure="pass y0.double()")
    if y0.ndim < 1 or len(y0) == 0:
        raise UsageError(
            f"the state has shape {tuple(y0.shape)}", where="integrate(y0=)", cure="pass a batch of states, batch first"
        )
    for step in {grid.steps[0], grid.steps[-1]}:
        _check_field(f.on(*step), y0, scheme)
        scheme.check_fit(f.on(*step), grid)
    _check_steps(grid, scheme)
    if not isinstance(gradient, Backprop) and any(isinstance(m, _BatchNorm) and m.training for m in f.modules()):
        raise UsageError(
            f"BatchNorm in training with {type(gradient).__name__}: a step run twice counts its statistics twice",
            where="integrate(gradient=)",
            cure="use gradient=Backprop(), or call eval() on the dynamics",
        )


def _check_steps(grid: Grid, scheme: Scheme) -> None:
    lengths = [t1 - t0 for t0, t1 in grid.steps]
    rounding = 4 * math.ulp(max(map(abs, grid.ts)))
    if scheme.equal_steps and max(lengths) - min(lengths) > rounding:
        raise UsageError(
            f"{type(scheme).__name__} needs equal steps, got {min(lengths):g} to {max(lengths):g}",
            where="integrate(grid=)",
            cure="use Grid.uniform(t0, t1, n), or RK4",
        )


def _check_field(field: VectorField, y0: Tensor, scheme: Scheme) -> None:
    if not isinstance(field, scheme.requires):
        raise UsageError(
            f"{type(scheme).__name__} steps a {scheme.requires.__name__}, the dynamics give a {type(field).__name__}",
            where="integrate(scheme=)",
            cure=f"write the dynamics as a {scheme.requires.__name__}, or use RK4",
        )
    if isinstance(field, SecondOrder) and scheme.requires is not SecondOrder:
        raise UsageError(
            f"the field is a force, {type(scheme).__name__} would take it for a velocity",
            where="integrate(scheme=)",
            cure="use Leapfrog()",
        )
    if isinstance(field, Separable) and (y0.ndim < 2 or y0.shape[1] % 2):
        raise UsageError(
            f"a state of shape {tuple(y0.shape)} has no halves along axis 1",
            where="integrate(y0=)",
            cure="pass torch.cat([q, p], dim=1)",
        )
    if isinstance(field, SemiLinear) and torch.promote_types(field.linear.dtype, y0.dtype) != y0.dtype:
        raise UsageError(
            f"the linear part is {field.linear.dtype}, the state {y0.dtype} cannot hold its product",
            where="integrate(y0=)",
            cure=f"pass y0.to({torch.promote_types(field.linear.dtype, y0.dtype)})",
        )
