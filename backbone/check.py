"""Combinations that make no sense are refused here, before the first step."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from backbone.adaptive import Adaptive
from backbone.adjoint import ContinuousAdjoint
from backbone.dropout import Dropout
from backbone.dynamics import Dynamics, SemiLinear, VectorField
from backbone.endpoint import Endpoint
from backbone.errors import NotReversible, UsageError
from backbone.gradients import Backprop, Gradient
from backbone.grid import Grid
from backbone.layer_parallel import Mgrit
from backbone.mgrit import Alone
from backbone.reversible import Reversible
from backbone.schemes.explicit import DormandPrince
from backbone.schemes.scheme import Memory, Scheme
from backbone.schemes.stochastic import Bernoulli
from backbone.solve import Sequential, Solve
from backbone.structured import SecondOrder, Separable
from backbone.tape import leaves


def check(
    f: Dynamics,
    y0: Tensor,
    grid: Grid,
    scheme: Scheme,
    *,
    gradient: Gradient,
    save: str,
    solve: Solve = Sequential(),
    until: Endpoint | None = None,
) -> None:
    """Raise UsageError if dynamics, state, grid, scheme, solve, gradient and what is saved do not fit together."""
    if save not in ("last", "all"):
        raise UsageError(f"save='{save}' is unknown", where="integrate(save=)", cure="use save='last' or save='all'")
    _check_state(y0)
    for step in {grid.steps[0], grid.steps[-1]}:
        field = f.on(*step)
        _check_field(field, y0, scheme)
        scheme.check_fit(field, grid)
    _check_steps(grid, scheme, solve)
    if isinstance(solve, Mgrit):
        _check_parallel(f, y0, grid, scheme, solve, gradient, until, save)
    _check_solve(solve, scheme, gradient)
    if gradient.reruns:
        _check_reruns(f, gradient)
    if gradient.from_end:
        _check_from_end(gradient, save=save, until=until)
        _check_registered(f, y0, grid, gradient)
    if isinstance(gradient, Reversible) and not scheme.reversible():
        raise NotReversible(
            f"{type(scheme).__name__} cannot be undone stably",
            where="integrate(gradient=)",
            cure="use SymplecticEuler, Verlet or Leapfrog, or gradient=Checkpoint(8)",
        )
    if isinstance(gradient, ContinuousAdjoint):
        _check_adjoint(y0, scheme)


def _check_state(y0: Tensor) -> None:
    if not (y0.is_floating_point() or y0.is_complex()):
        raise UsageError(f"the state is {y0.dtype}", where="integrate(y0=)", cure="pass y0.double()")
    if y0.ndim < 1 or len(y0) == 0:
        raise UsageError(
            f"the state has shape {tuple(y0.shape)}", where="integrate(y0=)", cure="pass a batch of states, batch first"
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


def _check_steps(grid: Grid, scheme: Scheme, solve: Solve) -> None:
    if not (scheme.equal_steps or isinstance(solve, Mgrit)):
        return
    lengths = [t1 - t0 for t0, t1 in grid.steps]
    demanding = scheme if scheme.equal_steps else solve
    if max(lengths) - min(lengths) > 4 * math.ulp(max(map(abs, grid.ts))):  # more than times round
        raise UsageError(
            f"{type(demanding).__name__} needs equal steps, got {min(lengths):g} to {max(lengths):g}",
            where="integrate(grid=)",
            cure="use Grid.uniform(t0, t1, n), or RK4",
        )


def _check_solve(solve: Solve, scheme: Scheme, gradient: Gradient) -> None:
    if isinstance(solve, Adaptive) and not isinstance(scheme, DormandPrince):
        raise UsageError(
            f"Adaptive chooses the steps of DormandPrince, got {type(scheme).__name__}",
            where="integrate(scheme=)",
            cure="use scheme=DormandPrince(), or solve=Sequential()",
        )


def _check_parallel(
    f: Dynamics,
    y0: Tensor,
    grid: Grid,
    scheme: Scheme,
    solve: Mgrit,
    gradient: Gradient,
    until: Endpoint | None,
    save: str,
) -> None:
    wrong = None
    steps, group = len(grid.steps[solve.chain.own(grid.n_steps)]), solve.coarsen ** (solve.levels - 1)
    if not isinstance(gradient, Backprop):
        wrong = f"{type(gradient).__name__} goes from step to step", "gradient=Backprop()"
    elif until is not None:
        wrong = "an endpoint asks every state in turn", "until=None"
    elif save == "all" and not isinstance(solve.chain, Alone):
        wrong = "processes that share the layers know the last state only", "save='last'"
    elif type(scheme.start(y0)) is not Memory:
        wrong = f"{type(scheme).__name__} carries a memory from step to step", "a one-step scheme, such as Euler()"
    elif steps % group or steps == 0:
        wrong = f"{steps} steps are no multiple of {group}", "another number of steps, coarsen or levels"
    elif any(isinstance(module, _BatchNorm) and module.training for module in f.modules()):
        wrong = "BatchNorm in training counts its statistics once a relaxation", "eval(), or layers without BatchNorm"
    if wrong is not None:
        raise UsageError(f"{wrong[0]} (Mgrit)", where="integrate(solve=)", cure=f"use {wrong[1]}, or Sequential()")
    _check_stacked(f, y0, grid, scheme)
    _check_registered(f, y0, grid, solve)


def _check_stacked(f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme) -> None:
    """One sample through two steps at once: whether the layers can be run under vmap."""
    steps = grid.steps[:2]
    field = f.stacked(steps)
    _check_field(field, y0, scheme)
    start = y0[:1].detach().repeat(len(steps), *[1] * (y0.ndim - 1))
    try:
        with torch.no_grad():
            scheme.step(field, 0.0, steps[0][1] - steps[0][0], start, Memory())
    except (RuntimeError, TypeError) as error:
        raise UsageError(
            f"the layers cannot be run several at once: {str(error).splitlines()[0]}",
            where="integrate(solve=)",
            cure="use solve=Sequential()",
        ) from error


def _check_reruns(f: Dynamics, gradient: Gradient) -> None:
    """What a second run of a step would do otherwise; checkpoints restore the random state, so that dropout repeats."""
    for module in f.modules():
        wrong = None
        if isinstance(module, _BatchNorm) and module.training:
            wrong = "BatchNorm", "a step run twice counts its statistics twice"
        elif isinstance(module, _DropoutNd) and module.training and gradient.from_end:
            wrong = type(module).__name__, "a step run again drops other entries"
        elif isinstance(module, Dropout) and module.training and module.p > 0.0:
            wrong = "Dropout", "a step run again draws other numbers"
        if wrong is not None:
            raise UsageError(
                f"{wrong[0]} in training with {type(gradient).__name__}: {wrong[1]}",
                where="integrate(gradient=)",
                cure="use gradient=Backprop(), or call eval() on the dynamics",
            )


def _check_from_end(gradient: Gradient, *, save: str, until: Endpoint | None) -> None:
    wrong = "save='all'" if save == "all" else "an endpoint" if until is not None else None
    if wrong is not None:
        raise UsageError(
            f"{wrong} with {type(gradient).__name__}, which keeps nothing but the last state",
            where="integrate(gradient=)",
            cure="use gradient=Checkpoint(8), or save='last' and until=None",
        )


def _check_registered(f: Dynamics, y0: Tensor, grid: Grid, how: Gradient | Solve) -> None:
    """A weight that the dynamics do not own would silently get no gradient."""
    start = y0[:1].detach()
    with torch.enable_grad():
        found = leaves([f.on(*step)(step[0], start) for step in {grid.steps[0], grid.steps[-1]}])
    own = {id(weight) for weight in f.parameters()}
    foreign = [tuple(leaf.shape) for leaf in found if id(leaf) not in own]
    if foreign:
        raise UsageError(
            f"a tensor of shape {foreign[0]} asks for a gradient and is no parameter of the dynamics",
            where="integrate(f=)",
            cure=f"make it an nn.Parameter of the dynamics, or do without {type(how).__name__}",
        )


def _check_adjoint(y0: Tensor, scheme: Scheme) -> None:
    wrong = None
    if scheme.requires is not VectorField or isinstance(scheme, Bernoulli):
        wrong = f"{type(scheme).__name__} cannot step the adjoint equation, which has no structure"
    elif any(weight.requires_grad for weight in scheme.parameters()):
        wrong = f"the coefficients of {type(scheme).__name__} would get no gradient"
    elif y0.is_complex():
        wrong = "the state is complex"
    if wrong is not None:
        raise UsageError(
            f"{wrong} (ContinuousAdjoint)", where="integrate(gradient=)", cure="use gradient=Backprop() or RK4"
        )
