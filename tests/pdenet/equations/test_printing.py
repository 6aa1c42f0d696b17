from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy  # noqa: TID253 - the outside oracle
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import UsageError
from pdenet.equations.equation import Equation, rounded
from pdenet.equations.notation import enough_digits
from pdenet.equations.printing import format_equations

BURGERS = Equation.parse("u_t = -1.00312*u*u_x + 0.1*u_xx")
ODD = Equation.parse("rho_t = 2.5e-07*u_x**2*rho_xxy - 3.0 + 12345.678*rho**3")
EMPTY = Equation("w_1_t", (), ())


def test_text() -> None:
    assert format_equations([BURGERS, ODD, EMPTY], "text").splitlines() == [
        "u_t = -1.003*u*u_x + 0.1*u_xx",
        "rho_t = 2.5e-07*u_x**2*rho_xxy - 3 + 1.235e+04*rho**3",
        "w_1_t = 0",
    ]
    assert format_equations([ODD], "text", 6) == ODD.to_text(6)


def test_unicode() -> None:
    assert format_equations([BURGERS, ODD, EMPTY], "unicode").splitlines() == [
        "∂u/∂t = −1.003 u ∂u/∂x + 0.1 ∂²u/∂x²",
        "∂rho/∂t = 2.5×10⁻⁷ (∂u/∂x)² ∂³rho/∂x²∂y − 3 + 1.235×10⁴ rho³",
        "∂w_1/∂t = 0",
    ]


def test_latex() -> None:
    assert format_equations([BURGERS, ODD, EMPTY], "latex").splitlines() == [
        r"\frac{\partial u}{\partial t} = -1.003 \, u \, \frac{\partial u}{\partial x}"
        r" + 0.1 \, \frac{\partial^{2} u}{\partial x^{2}}",
        r"\frac{\partial \rho}{\partial t} = 2.5 \times 10^{-7} \, \left(\frac{\partial u}{\partial x}\right)^{2}"
        r" \, \frac{\partial^{3} \rho}{\partial x^{2} \, \partial y} - 3 + 1.235 \times 10^{4} \, \rho^{3}",
        r"\frac{\partial w_{1}}{\partial t} = 0",
    ]
    assert r"\mathrm{Temp}" in format_equations([Equation.parse("Temp_t = 1.0*Temp")], "latex")


@pytest.mark.parametrize("equation", [BURGERS, ODD], ids=["burgers", "odd"])
def test_latex_is_drawn_by_matplotlib(equation: Equation) -> None:
    from matplotlib.mathtext import MathTextParser

    box = MathTextParser("path").parse(f"${format_equations([equation], 'latex')}$")
    assert box.width > 100  # a line, not an empty box


def test_sympy_reads_what_is_printed() -> None:
    t, x, y = sympy.symbols("t x y")
    u, rho = (sympy.Function(name)(t, x, y) for name in ("u", "rho"))
    found = sympy.sympify(format_equations([ODD], "sympy", None))
    assert found.lhs == sympy.Derivative(rho, t)
    wanted = 2.5e-07 * u.diff(x) ** 2 * rho.diff(x, 2, y) - 3.0 + 12345.678 * rho**3
    assert sympy.expand(found.rhs - wanted) == 0


def test_sympy_variables_depend_on_the_axes_in_use() -> None:
    lines = format_equations([BURGERS, EMPTY], "sympy").splitlines()
    assert (
        lines[0]
        == "Eq(Derivative(u(t, x), t), -1.003*u(t, x)*Derivative(u(t, x), x) + 0.1*Derivative(u(t, x), (x, 2)))"
    )
    assert lines[1] == "Eq(Derivative(w_1(t, x), t), 0)"


def load(source: str, folder: Path) -> Callable[..., Any]:
    """The function `rhs` of a module with this source."""
    path = folder / "found.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("found", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rhs: Callable[..., Any] = module.rhs
    return rhs


def test_python_runs(tmp_path: Path) -> None:
    rhs = load(format_equations([BURGERS], "python", None), tmp_path)
    generator = np.random.default_rng(0)
    u, u_x, u_xx = generator.standard_normal((3, 8))
    # one rounding more or less of sums of size 1
    np.testing.assert_allclose(rhs(u, u_x, u_xx), -1.00312 * u * u_x + 0.1 * u_xx, rtol=1e-14, atol=1e-15)


def test_python_runs_for_systems_keywords_and_constants(tmp_path: Path) -> None:
    system = [Equation.parse("lambda_t = 2.0*lambda*u_x"), Equation.parse("u_t = -3.0"), EMPTY]
    rhs = load(format_equations(system, "python"), tmp_path)
    a, b, c, b_x = np.random.default_rng(0).standard_normal((4, 5))
    rates = rhs(lambda_=a, u=b, w_1=c, u_x=b_x)
    np.testing.assert_allclose(rates[0], 2 * a * b_x, rtol=1e-14)
    np.testing.assert_array_equal(rates[1], np.full(5, -3.0))
    np.testing.assert_array_equal(rates[2], np.zeros(5))


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("text", "u_t = -u*u_x + u**2 + 1"),
        ("unicode", "∂u/∂t = −u ∂u/∂x + u² + 1"),
        ("latex", r"\frac{\partial u}{\partial t} = -u \, \frac{\partial u}{\partial x} + u^{2} + 1"),
        ("sympy", "Eq(Derivative(u(t, x), t), -u(t, x)*Derivative(u(t, x), x) + u(t, x)**2 + 1)"),
    ],
)
def test_a_factor_of_one_is_not_written_in_any_format(form: str, printed: str) -> None:
    equation = Equation.parse("u_t = -1.0*u*u_x + 1.0*u**2 + 1.0")
    assert format_equations([equation], form) == printed


def test_python_without_factors_of_one_runs(tmp_path: Path) -> None:
    source = format_equations([Equation.parse("u_t = -1.0*u*u_x + 1.0*u_xx")], "python")
    assert "u_t = -u * u_x + u_xx\n" in source
    assert load(source, tmp_path)(2.0, 3.0, 5.0) == -1.0


def test_json_keeps_every_digit() -> None:
    document = json.loads(format_equations([BURGERS, EMPTY], "json", 1))
    assert [Equation.from_dict(row) for row in document["equations"]] == [BURGERS, EMPTY]


def test_errors_are_shown_if_asked() -> None:
    equation = Equation(BURGERS.lhs, BURGERS.terms, BURGERS.coefficients, (0.00123, 2e-06))
    assert format_equations([equation], "text") == "u_t = -1.003*u*u_x + 0.1*u_xx"
    assert format_equations([equation], "text", errors=True) == "u_t = -(1.0031 +- 0.0012)*u*u_x + (0.1 +- 2e-06)*u_xx"
    assert (
        format_equations([equation], "unicode", 6, errors=True)
        == "∂u/∂t = −(1.00312 ± 0.0012) u ∂u/∂x + (0.1 ± 2×10⁻⁶) ∂²u/∂x²"
    )
    assert r"(1.0031 \pm 0.0012) \, u" in format_equations([equation], "latex", errors=True)


@given(
    st.floats(1e-200, 1e200) | st.floats(-1e200, -1e-200),
    st.floats(1e-12, 1e12),
    st.integers(1, 17),
)
def test_rounding_never_hides_what_the_standard_error_says_is_known(
    number: float, relative_error: float, digits: int
) -> None:
    error = abs(number) * relative_error
    shown = enough_digits(number, error, digits)
    assert shown is not None
    assert shown >= digits
    # half a unit in the second digit of the error, of which 10 are the least; and the rounding of a double
    assert abs(float(rounded(number, shown)) - number) <= 0.05 * error + 2.3e-16 * abs(number)


@pytest.mark.parametrize("form", ["sympy", "python", "json"])
def test_errors_have_no_place_in_code(form: str) -> None:
    with pytest.raises(UsageError, match="no place for standard errors"):
        format_equations([BURGERS], form, errors=True)


def test_errors_that_are_not_there_cannot_be_shown() -> None:
    with pytest.raises(UsageError, match="u_t came without standard errors"):
        format_equations([BURGERS], "text", errors=True)


def test_a_wrong_format_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown format 'latec'; formats are text, unicode, latex") as caught:
        format_equations([BURGERS], "latec")
    assert caught.value.cure == "--format latex"
