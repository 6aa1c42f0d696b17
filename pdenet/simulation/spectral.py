"""Solutions of typed equations on periodic boxes: dealiased Fourier in space, ETDRK4 in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from backbone.errors import InputError, UsageError
from pdenet.equations.expansion import expand
from pdenet.equations.expression import parse_system
from pdenet.equations.syntax import System
from pdenet.simulation.march import March
from pdenet.simulation.modes import Box
from pdenet.simulation.semilinear import Evaluator, leaves
from pdenet.simulation.wellposed import demand_well_posed

MAX_POINTS = {1: 2**14, 2: 512**2, 3: 128**3}  # of the inner box, by number of dimensions
MAX_REFINE = 8
TAIL = 1e-2  # energy allowed at the grid limit, in tolerances: amplitudes there stay below a tenth of its square root


@dataclass(frozen=True)
class Solution:
    """values: "run time channel *space" on the points of the initial field, channels as the variables, then `also`.

    steps: smallest and largest time step. refinement: inner points for each outer one, per axis. inner_tail,
    outer_tail: largest share of energy seen at the grid limit of the solver's points and of the points given out.
    """

    values: Float64[np.ndarray, "run time channel *space"]
    steps: tuple[float, float]
    refinement: int
    inner_tail: float
    outer_tail: float


def solve_system(
    system: System,
    initial: Float64[np.ndarray, "run channel *space"],
    *,
    lengths: Sequence[float],
    times: Sequence[float],
    burn_in: float = 0.0,
    also: Sequence[str] = (),
    tolerance: float = 1e-8,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
    told: Callable[[str], None] = lambda text: None,
) -> Solution:
    """The solution at `times` from `initial` at times[0] - burn_in; runs are solved together.

    lengths: of the box, in array order ([z,] y, x). also: definitions of the system to give out beside its
    variables. tolerance: relative error in time from one snapshot to the next; inside, the box is refined until the
    energy of its highest modes is below a hundredth of it. Raises UsageError for an ill-posed equation, Diverged at
    a blow-up.
    """
    outer = Box(initial.shape[2:], tuple(lengths))
    demand_well_posed(system, outer)
    limit, max_refine = TAIL * tolerance, _max_refine(outer)
    march = March(system, outer, tolerance=tolerance, tail=limit, max_refine=max_refine, dtype=dtype)
    values = np.empty((initial.shape[0], len(times), len(system.variables) + len(also), *outer.shape))
    modes = outer.to_modes(torch.as_tensor(initial, dtype=dtype, device=device))
    early = _burn_in_times(times, burn_in)
    inner_tail = outer_tail = 0.0
    for k, (t, state) in enumerate(march.states(modes, (*early, *times)), start=-len(early)):
        told(f"t = {t:g} of {times[-1]:g}")
        if k >= 0:
            sample = _sampled(system, also, march.box, outer, state, t)
            values[:, k] = sample.double().cpu().numpy()
            inner_tail = max(inner_tail, march.energy)
            outer_tail = max(outer_tail, outer.grid_limit_energy(outer.to_modes(sample)))
    if not early:
        values[:, 0, : len(system.variables)] = initial
    return Solution(values, (march.stepper.smallest, march.stepper.largest), march.refinement, inner_tail, outer_tail)


def _burn_in_times(times: Sequence[float], burn_in: float) -> tuple[float, ...]:
    """Times before times[0], the first burn_in earlier, no farther apart than the first two snapshots: the error
    control of a step looks at one interval, and over a long one a chaotic solution forgets its start."""
    if burn_in == 0 or len(times) < 2:
        return ()
    n = math.ceil(burn_in / (times[1] - times[0]) * (1 - 1e-9))
    return tuple(times[0] - burn_in * (n - k) / n for k in range(n))


def _max_refine(box: Box) -> int:
    """The largest power of two, up to 8, that keeps the inner box in memory."""
    factor = 1
    while factor < MAX_REFINE and np.prod(box.shape) * (2 * factor) ** len(box.shape) <= MAX_POINTS[len(box.shape)]:
        factor *= 2
    return factor


def _sampled(
    system: System, also: Sequence[str], inner: Box, outer: Box, modes: Tensor, t: float
) -> Float[Tensor, "run channel *space"]:
    """Variables and definitions on the outer points, every few of the inner ones."""
    fields = [inner.to_points(modes)]
    for name in also:
        node = system.definitions[name]
        evaluator = Evaluator(system, leaves(node), inner, inner, modes.device)
        like = fields[0][:, 0]
        fields.append(evaluator.polynomial(expand(node), evaluator.values(modes), t, like).unsqueeze(1))
    strides = tuple(slice(None, None, n // m) for n, m in zip(inner.shape, outer.shape, strict=True))
    return torch.cat(fields, dim=1)[(..., *strides)]


def solve(
    equations: Sequence[str],
    initial: Float64[np.ndarray, "run channel *space"],
    *,
    lengths: Sequence[float],
    names: Sequence[str],
    times: Sequence[float],
    parameters: Mapping[str, float] | None = None,
    tolerance: float = 1e-8,
    device: torch.device | str = "cpu",
) -> Float64[np.ndarray, "run time channel *space"]:
    """Forecast: the solution of the equations at `times` from `initial` at times[0].

    names: the variable of each channel of `initial`, in its order. See `solve_system` for the rest.
    """
    system = parse_system("\n".join(equations), initial.ndim - 2, parameters)
    if sorted(names) != sorted(system.variables) or len(names) != initial.shape[1]:
        raise UsageError(
            f"channels {', '.join(names)} for equations of {', '.join(system.variables)}",
            where="solve",
            cure="give one equation for every channel",
        )
    if not np.isfinite(initial).all():
        raise InputError("the initial field holds NaN or infinite values", where="solve", cure="fill them first")
    system = System({name: system.rates[name] for name in names}, system.definitions, system.n_dims)
    return solve_system(system, initial, lengths=lengths, times=times, tolerance=tolerance, device=device).values
