"""What is printed as LaTeX is read back as the same equation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import UsageError
from pdenet.equations.equation import Equation
from pdenet.equations.latex import parse_latex
from pdenet.equations.printing import format_equations
from pdenet.equations.terms import Factor, Term

NAMES = st.sampled_from(["u", "v", "u_1", "E2", "rho", "Temp", "alpha_2", "w"])
FACTORS = st.builds(Factor, NAMES, st.text(alphabet="xyz", max_size=4))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != 0.0)
ROWS = st.lists(st.tuples(st.lists(FACTORS, max_size=4), NUMBERS), max_size=5)


@given(NAMES, ROWS)
def test_with_every_digit_it_is_read_back_exactly(name: str, rows: list[tuple[list[Factor], float]]) -> None:
    terms = tuple(Term.product(factors) for factors, _ in rows)
    equation = Equation(f"{name}_t", terms, tuple(number for _, number in rows))
    assert parse_latex(format_equations([equation], "latex", None)) == equation


def test_rounded_and_with_errors_it_reads_what_stands_there() -> None:
    equation = Equation.parse("u_t = -1.00312*u*u_x + 2.5e-07*u_xx**2 + 1.0*v")
    assert parse_latex(format_equations([equation], "latex")).coefficients == (-1.003, 2.5e-7, 1.0)
    measured = Equation(equation.lhs, equation.terms, equation.coefficients, (0.0012, 1e-9, 0.25))
    assert parse_latex(format_equations([measured], "latex", errors=True)) == Equation(
        equation.lhs, equation.terms, (-1.0031, 2.5e-7, 1.0)
    )


@pytest.mark.parametrize(
    "text", ["", "u_t = ", r"\frac{\partial u}{\partial t} = \int u", r"\frac{\partial u}{\partial t} = \sqrt{u}"]
)
def test_other_latex_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="cannot read this LaTeX"):
        parse_latex(text)
