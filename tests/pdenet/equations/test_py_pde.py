"""The script for py-pde: its expressions against spectral derivatives; run by py-pde itself where that is installed."""

from __future__ import annotations

import ast
import importlib.util
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pdenet.equations.equation import Equation
from pdenet.equations.py_pde import ScriptGrid, py_pde_script, rate_expressions

TWO_PI = 2 * math.pi
SYSTEM = [
    Equation.parse("u_t = -1.00312*u*u_x + 0.1*u_xx + 2.5e-07*v_xxy**2 - 3.0"),
    Equation.parse("lambda_t = -1.0*lambda**2*u_y + 0.5*lambda_xxxx"),
    Equation("v_t", (), ()),
]
GRID = ScriptGrid(shape=(12, 16), dx=(TWO_PI / 12, TWO_PI / 16), origin=(0.0, 0.0), periodic=(True, True))


def evaluated(node: ast.expr, values: dict[str, np.ndarray]) -> Any:
    """An expression of numbers, names, + - * ** and py-pde's derivatives, these by Fourier; axes are (x, y)."""
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return values[name]
        case ast.UnaryOp(ast.USub(), inner):
            return -evaluated(inner, values)
        case ast.BinOp(left, operator, right):
            a, b = evaluated(left, values), evaluated(right, values)
            operations = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Pow: np.power}
            return operations[type(operator)](a, b)
        case ast.Call(ast.Name(name), [inner]):
            order, axis = {"d_dx": (1, 0), "d_dy": (1, 1), "d2_dx2": (2, 0), "d2_dy2": (2, 1)}[name]
            return derivative(evaluated(inner, values), axis, order)
    raise AssertionError(ast.dump(node))


def derivative(u: np.ndarray, axis: int, order: int) -> np.ndarray:
    n = u.shape[axis]
    k = np.fft.fftfreq(n, 1 / n).reshape([-1 if j == axis else 1 for j in range(u.ndim)])
    return np.fft.ifft((1j * k) ** order * np.fft.fft(u, axis=axis), axis=axis).real


def test_expressions_are_the_equations() -> None:
    x, y = np.meshgrid(TWO_PI * np.arange(16) / 16, TWO_PI * np.arange(12) / 12, indexing="ij")
    u, w, v = np.sin(x + 2 * y), np.cos(2 * x) + np.sin(y), np.sin(x) * np.cos(y)
    values = {"u": u, "lambda_": w, "v": v}
    rates = {
        name: evaluated(ast.parse(text, mode="eval").body, values)
        for name, text in rate_expressions(SYSTEM, None).items()
    }
    u_x, u_xx, u_y = np.cos(x + 2 * y), -u, 2 * np.cos(x + 2 * y)
    v_xxy, w_xxxx = np.sin(x) * np.sin(y), 16 * np.cos(2 * x)
    # rounding of transforms of waves of size one, times their wave numbers up to 16
    np.testing.assert_allclose(rates["u"], -1.00312 * u * u_x + 0.1 * u_xx + 2.5e-7 * v_xxy**2 - 3.0, atol=1e-12)
    np.testing.assert_allclose(rates["lambda_"], -(w**2) * u_y + 0.5 * w_xxxx, atol=1e-12)
    np.testing.assert_array_equal(rates["v"], 0 * v)


def test_the_script_is_a_program_on_the_grid_of_the_data() -> None:
    script = py_pde_script(SYSTEM, 4, GRID, t_end=0.1)
    tree = ast.parse(script)
    assert ast.get_docstring(tree).startswith("u_t = -1.003*u*u_x + 0.1*u_xx")
    half_x, half_y = math.pi / 16, math.pi / 12
    bounds = [[-half_x, TWO_PI - half_x], [-half_y, TWO_PI - half_y]]  # x first; data points are centres of cells
    call = next(
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Grid")
    )
    np.testing.assert_allclose(ast.literal_eval(call.args[0]), bounds, rtol=1e-14)
    assert ast.literal_eval(call.args[1]) == [16, 12]
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported == {"sys", "numpy", "pde"}


@pytest.mark.slow
def test_py_pde_runs_it(tmp_path: Path) -> None:
    """The heat equation from data: cos(x) decays as exp(-0.1 t)."""
    if importlib.util.find_spec("pde") is None:
        pytest.skip("py-pde is not installed")
    grid = ScriptGrid(shape=(64,), dx=(TWO_PI / 64,), origin=(0.0,), periodic=(True,))
    (tmp_path / "heat.py").write_text(py_pde_script([Equation.parse("u_t = 0.1*u_xx")], None, grid, t_end=1.0))
    np.savez(tmp_path / "start.npz", u=np.cos(TWO_PI * np.arange(64) / 64)[None, None])
    words = [sys.executable, "heat.py", "start.npz"]
    printed = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    low, high = (float(word) for word in printed.split(": ")[1].split(" to "))
    # differences of second order on 64 points: k^2 dx^2 / 12 = 8e-4 of the rate 0.1; SciPy's tolerance is 1e-3
    assert (low, high) == pytest.approx((-math.exp(-0.1), math.exp(-0.1)), rel=2e-3)
