"""The found equations run forward from a state: the equations as they are printed with all digits, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

import torch

from backbone.errors import Diverged, InputError, UntrustedResult, UsageError
from pdenet.discovery.varying.equation import VaryingEquation
from pdenet.equations.equation import Equation
from pdenet.equations.terms import is_velocity
from pdenet.fields.field import Field
from pdenet.learned.record import Learned
from pdenet.network.rhs import LearnedPDE
from pdenet.network.rollout import roll_network
from pdenet.simulation.spectral import solve


def demand_periodic(start: Field) -> None:
    """InputError if an axis has walls: an equation does not say what happens at them."""
    walled = [axis for axis, side in zip(start.axes, start.boundary, strict=True) if side != "periodic"]
    if walled:
        raise InputError(
            f"{' and '.join(walled)} has walls: the equation alone does not say what happens at them",
            where=start.source,
            cure="--bc periodic if the box is periodic",
        )


def demand_closed(learned: Learned, start: Field) -> None:
    """InputError where the equations do not foretell all that they need: inputs, or fields on another grid."""
    if learned.known:
        raise InputError(
            f"the equations have inputs, {', '.join(learned.known)}, whose future is not known",
            where=start.source,
            cure="learn without --known, so that they have equations of their own",
        )
    if learned.has_fields and any(start.origin):
        begins = ", ".join(f"{axis}={first:g}" for axis, first in zip(start.axes, start.origin, strict=True))
        raise InputError(
            f"the grid begins at {begins}; fields are run forward on a box that begins at 0",
            where=start.source,
            cure="save the data with coordinates from 0 on, and learn again",
        )


def forecast_by_equations(
    equations: Sequence[Equation] | Sequence[VaryingEquation],
    start: Field,
    times: Sequence[float],
    *,
    tolerance: float,
    device: torch.device,
) -> Field:
    """The snapshots at `times` from the one snapshot of `start` at times[0], by the spectral solver.

    Velocities, which equations of u_tt start from, are left out of the forecast. tolerance: relative error in time
    from one snapshot to the next; it also decides how fine the inner grid is.
    Raises UntrustedResult if short waves grow without bound under the equations, Diverged with time and place.
    """
    texts = [equation.to_text(digits=None) for equation in equations]
    try:
        values = solve(
            texts,
            start.values[:, 0],
            lengths=tuple(map(float, start.lengths)),
            names=start.names,
            times=times,
            tolerance=tolerance,
            device=device,
        )
    except Diverged as blow_up:
        _tell_place(blow_up, start, 0.0, "the equation")
    except UsageError as ill_posed:
        raise UntrustedResult(
            ill_posed.what,
            where="the found equation: " + "; ".join(equation.to_text() for equation in equations),
            cure="--solver network if the run has one, or learn again from more data",
        ) from ill_posed
    measured = [k for k, name in enumerate(start.names) if not is_velocity(name)]
    names = tuple(start.names[k] for k in measured)
    return replace(start, values=values[:, :, measured], names=names, t0=times[0], dt=times[1] - times[0])


def forecast_by_network(
    model: LearnedPDE, start: Field, times: Sequence[float], *, dt: float, steps: Sequence[int], device: torch.device
) -> Field:
    """The snapshots at `times`, `steps` steps of dt after the one snapshot of `start`. Raises Diverged."""
    try:
        values = roll_network(model, start.values[:, 0], dt=dt, steps=steps, device=device)
    except Diverged as blow_up:
        _tell_place(blow_up, start, start.t0, "the network")
    return replace(start, values=values, t0=times[0], dt=times[1] - times[0])


def _tell_place(blow_up: Diverged, start: Field, offset: float, model: str) -> NoReturn:
    """The same blow-up in the times and coordinates of the data."""
    where = model
    if blow_up.place is not None:
        run, channel, *point = blow_up.place
        at = [f"{axis}={start.coordinates()[axis][k]:g}" for axis, k in zip(start.axes, point, strict=True)]
        where = f"{model}: {start.names[channel]} of run {run} near {', '.join(at)}"
    t = blow_up.t + offset
    raise Diverged(blow_up.step, t, where=where, cure=f"stop before t = {t:g} with --t-end") from blow_up
