"""Equations as a script for py-pde (https://py-pde.readthedocs.io), which solves them by finite differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pdenet.equations.equation import Equation
from pdenet.equations.notation import Notation
from pdenet.equations.source_code import identifier
from pdenet.equations.terms import Factor, is_velocity

TEMPLATE = '''"""{text}

Found by pdenet-durr; to be run with py-pde (pip install py-pde):
    python THIS.py            from smooth random waves
    python THIS.py DATA.npz   from the last snapshot of the first run in a file of pdenet-durr
"""

import sys

import numpy as np
import pde

RATES = {{
{rates}
}}
# the grid of the data, {axes}; a finer one makes the finite differences more accurate
GRID = pde.CartesianGrid({bounds}, {shape}, periodic={periodic})
T_END = {t_end}


def last(data, name):
    """The last snapshot of a variable, or the slope there of a parabola through the last three if it is a velocity."""
    if name in data:
        return data[name][0, -1].T
    values = data[name.removesuffix("_t")][0]
    return ((3 * values[-1] - 4 * values[-2] + values[-3]) / (2 * (data["t"][1] - data["t"][0]))).T


def start():
    """The state to start from; files hold their space axes in the reversed order."""
    if len(sys.argv) > 1:
        data = np.load(sys.argv[1])
        fields = [pde.ScalarField(GRID, last(data, name)) for name in {names}]
    else:
        random = np.random.default_rng(0)
        fields = [pde.ScalarField.random_harmonic(GRID, modes=3, rng=random) for name in RATES]
    return pde.FieldCollection(fields, labels=list(RATES))


if __name__ == "__main__":
    result = pde.PDE(RATES).solve(start(), t_range=T_END, solver="scipy", tracker=None)
    for field in result:
        print(f"{{field.label}} at t = {{T_END}}: {{field.data.min():.6g}} to {{field.data.max():.6g}}")
'''


@dataclass(frozen=True, kw_only=True)
class ScriptGrid:
    """The grid of the script, space in array order: points, spacing, first point and whether each axis is periodic."""

    shape: tuple[int, ...]
    dx: tuple[float, ...]
    origin: tuple[float, ...]
    periodic: tuple[bool, ...]


def py_pde_script(equations: Sequence[Equation], digits: int | None, grid: ScriptGrid, *, t_end: float) -> str:
    """A script that needs py-pde and NumPy only, with the equations as `pde.PDE` reads them and the grid of the data.

    An equation of u_tt stands for two. A derivative u_xxy is d2_dx2(d_dy(u)). Grid points are the centres of py-pde's
    cells. t_end: how long it runs.
    """
    moving = [Factor(equation.variable).measured for equation in equations if is_velocity(equation.variable)]
    system = [*map(Equation.of_motion, moving), *equations]
    rates = rate_expressions(system, digits)
    order = range(len(grid.shape))[::-1]  # py-pde wants x, y, z
    edges = [(grid.origin[k] - grid.dx[k] / 2, grid.origin[k] + (grid.shape[k] - 0.5) * grid.dx[k]) for k in order]
    return TEMPLATE.format(
        text="\n".join(equation.to_text(digits) for equation in equations),
        rates="\n".join(f'    "{name}": "{rate}",' for name, rate in rates.items()),
        axes=", ".join("xyz"[: len(grid.shape)]),
        bounds=[list(pair) for pair in edges],
        shape=[grid.shape[k] for k in order],
        periodic=[grid.periodic[k] for k in order],
        names=[equation.variable for equation in system],
        t_end=repr(t_end),
    )


def rate_expressions(equations: Sequence[Equation], digits: int | None) -> Mapping[str, str]:
    """The right-hand side of every variable in py-pde's language."""
    notation = Notation(left=identifier, number=str, factor=_factor, times=" * ")
    return {
        notation.left(equation.variable): notation.right_side(equation, digits)
        if equation.terms
        else f"0 * {identifier(equation.variable)}"
        for equation in equations
    }


def _factor(factor: Factor, power: int) -> str:
    body = identifier(factor.variable)
    for axis, order in sorted(Counter(factor.derivative).items(), reverse=True):
        for piece in ["d_d{0}"] * (order % 2) + ["d2_d{0}2"] * (order // 2):
            body = f"{piece.format(axis)}({body})"
    return f"{body}**{power}" if power > 1 else body
