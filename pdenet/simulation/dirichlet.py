"""Data between walls on which u = 0: the odd half of a periodic solution on the doubled box.

If u_t = F changes sign with u and with every space axis, a field that is odd about both walls stays odd, so the
periodic solver gives the solution between walls at its own accuracy. Even derivatives and odd functions of u qualify,
such as PDE-Net's u_t = 0.3 lap u + 15 sin u (Long, Lu, Ma, Dong, PDE-Net, ICML 2018, section 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import UsageError
from pdenet.equations.expression import parse_system
from pdenet.fields.field import Field
from pdenet.simulation.noise import add_noise, noise_definition
from pdenet.simulation.spectral import solve_system

ODD = 1e-9  # share of the solution that may be even before an equation is refused


def simulate_between_walls(
    equation: str,
    *,
    cells: Sequence[int] = (50, 50),
    lengths: Sequence[float] = (2 * math.pi, 2 * math.pi),
    runs: int = 12,
    times: Sequence[float] = tuple(0.01 * k for k in range(16)),
    modes: int = 9,
    amplitude: float = 8.0,
    noise: float = 0.0,
    noise_def: str = "sample",
    seed: int = 0,
    tolerance: float = 1e-6,
    device: torch.device | str = "cpu",
    told: Callable[[str], None] = lambda text: None,
) -> Field:
    """Runs of an equation from random sums of sin(pi k x / L), k <= modes, of largest value `amplitude`.

    cells, lengths: of each space axis in array order; walls are points of the grid, so an axis has a point more than
    cells. Raises UsageError for an equation whose solution does not stay odd, which is none with these walls.
    """
    for_fields, for_noise = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(2))
    system = parse_system(equation, len(cells))
    doubled = tuple(2 * n for n in cells)
    start = _odd_fields((runs, len(system.variables)), doubled, modes, amplitude, for_fields)
    solution = solve_system(
        system,
        start,
        lengths=tuple(2 * length for length in lengths),
        times=times,
        tolerance=tolerance,
        device=device,
        told=told,
    )
    _demand_odd(solution.values, len(cells), equation)
    values = solution.values[(..., *(slice(0, n + 1) for n in cells))]
    return Field(
        values=add_noise(values, noise, noise_definition(noise_def), for_noise),
        dt=times[1] - times[0],
        dx=tuple(length / n for length, n in zip(lengths, cells, strict=True)),
        names=system.variables,
        boundary=("none",) * len(cells),
        source="simulate",
    )


def _odd_fields(
    batch: tuple[int, int], shape: Sequence[int], modes: int, amplitude: float, generator: np.random.Generator
) -> Float64[np.ndarray, "run channel *space"]:
    """Random sums of products of sines over the doubled box, each scaled to its largest value."""
    fields = generator.standard_normal((*batch, *(modes,) * len(shape)))
    for n in shape:  # sums over the first space axis and moves it to the end
        sines = np.sin(2.0 * math.pi * np.outer(np.arange(1, modes + 1), np.arange(n)) / n)
        fields = np.tensordot(fields, sines, axes=(2, 0))
    largest = np.abs(fields).max(axis=tuple(range(2, fields.ndim)), keepdims=True)
    return fields * (amplitude / largest)


def _demand_odd(values: Float64[np.ndarray, "run time channel *space"], n_dims: int, equation: str) -> None:
    size = float(np.abs(values).max())
    for axis in range(values.ndim - n_dims, values.ndim):
        mirrored = np.roll(np.flip(values, axis), 1, axis)
        if float(np.abs(values + mirrored).max()) > max(ODD * size, 1e-12):
            raise UsageError(
                f"'{equation}' does not keep u = 0 on both walls",
                where="simulate_between_walls",
                cure="write only terms that change sign with u, with derivatives of even order along each axis",
            )
