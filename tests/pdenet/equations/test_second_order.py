"""The language of equations for u_tt: read, written, and what is refused."""

from __future__ import annotations

import pytest

from backbone.errors import UsageError
from pdenet.equations.equation import Equation
from pdenet.equations.expansion import to_equations
from pdenet.equations.expression import axes_used, parse_system
from pdenet.equations.latex import parse_latex
from pdenet.equations.printing import format_equations
from pdenet.equations.py_pde import ScriptGrid, py_pde_script
from pdenet.equations.terms import Factor, Term, rate

TEXT = "u_tt = u_xx - 0.4*u_t + 0.3*u_txx**2 - u**3"


@pytest.mark.parametrize(
    ("text", "variable", "derivative", "measured", "letters"),
    [
        ("u", "u", "", "u", ""),
        ("u_t", "u_t", "", "u", "t"),
        ("u_txx", "u_t", "xx", "u", "txx"),
        ("u_1_ty", "u_1_t", "y", "u_1", "ty"),
        ("v_xy", "v", "xy", "v", "xy"),
    ],
)
def test_a_velocity_is_a_variable(text: str, variable: str, derivative: str, measured: str, letters: str) -> None:
    factor = Factor.parse(text)
    assert (factor.variable, factor.derivative) == (variable, derivative)
    assert (factor.measured, factor.letters, str(factor)) == (measured, letters, text)


def test_the_left_side_of_a_velocity_is_a_second_derivative() -> None:
    assert (rate("u"), rate("u_t")) == ("u_t", "u_tt")
    equation = Equation.parse(TEXT)
    assert (equation.lhs, equation.variable) == ("u_tt", "u_t")
    assert equation.to_text() == TEXT
    assert Equation.from_dict(equation.as_dict()) == equation


@pytest.mark.parametrize("digits", [None, 3])
def test_latex_is_read_back(digits: int | None) -> None:
    equation = Equation.parse(TEXT)
    assert parse_latex(format_equations([equation], "latex", digits)) == equation


def test_other_formats_write_both_derivatives() -> None:
    equations = [Equation.parse(TEXT)]
    assert format_equations(equations, "unicode") == "∂²u/∂t² = ∂²u/∂x² − 0.4 ∂u/∂t + 0.3 (∂³u/∂t∂x²)² − u³"
    assert format_equations(equations, "sympy").startswith(
        "Eq(Derivative(u(t, x), (t, 2)), Derivative(u(t, x), (x, 2))"
    )
    assert "def rhs(u_t, u, u_xx, u_txx):" in format_equations(equations, "python")


def test_a_typed_equation_is_a_system_of_values_and_velocities() -> None:
    system = parse_system("u_tt = lap(u) - d*u_t + v; v_t = u_{ty}", 2, {"d": 0.5})
    assert system.variables == ("u", "v", "u_t")
    assert system.rates["u"] == Factor("u_t")
    assert system.rates["v"] == Factor("u_t", "y")
    found = {equation.lhs: equation.to_text() for equation in to_equations(system)}
    assert found["u_tt"] == "u_tt = u_xx + u_yy - 0.5*u_t + v"
    assert "u_t" not in found  # what says no more than that the velocity is one


@pytest.mark.parametrize("mixed", ["u_txx", "u_xtx", "u_{xxt}"])
def test_letters_stand_in_any_order(mixed: str) -> None:
    assert parse_system(f"u_tt = {mixed}").rates["u_t"] == Factor("u_t", "xx")


def test_axes_are_counted_behind_a_t() -> None:
    assert axes_used("u_tt = u_tyy") == 2


@pytest.mark.parametrize("text", ["u_t = 1.0*u_t", "u_t = u_xx + u_tx"])
def test_velocities_stand_only_beside_second_derivatives(text: str) -> None:
    with pytest.raises(UsageError, match="stands on the left"):
        Equation.parse(text)


def test_terms_of_velocities() -> None:
    term = Term.parse("u_t*u_x**2")
    assert (term.order, term.degree, str(term)) == (2, 3, "u_t*u_x**2")


def test_a_script_for_py_pde_has_both_variables() -> None:
    grid = ScriptGrid(shape=(8,), dx=(0.1,), origin=(0.0,), periodic=(True,))
    script = py_pde_script([Equation.parse(TEXT)], 4, grid, t_end=1.0)
    compile(script, "script.py", "exec")  # it is Python
    assert '    "u": "u_t",\n    "u_t": "d2_dx2(u) - 0.4 * u_t + 0.3 * d2_dx2(u_t)**2 - u**3",' in script
    assert "for name in ['u', 'u_t']]" in script
