"""The script for py-pde that a run's equations make, on the grid of its data."""

from __future__ import annotations

from pdenet.equations.py_pde import ScriptGrid, py_pde_script
from pdenet.learned.record import Learned

UNTOLD_POINTS = 64  # per axis, for runs from before the grid was kept
SNAPSHOTS = 10  # the script's end, in time steps of the data


def script_of(learned: Learned, digits: int | None) -> str:
    """Source of a program that solves the equations with py-pde; walls become py-pde's default, no flux."""
    n_dims, data = len(learned.dx), learned.data
    grid = ScriptGrid(
        shape=(UNTOLD_POINTS,) * n_dims if data is None else data.shape,
        dx=learned.dx,
        origin=(0.0,) * n_dims if data is None else data.origin,
        periodic=(True,) * n_dims if data is None else tuple(side == "periodic" for side in data.boundary),
    )
    return py_pde_script(learned.equations, digits, grid, t_end=SNAPSHOTS * learned.dt)
