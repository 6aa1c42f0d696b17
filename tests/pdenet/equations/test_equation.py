from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import UsageError
from pdenet.equations.equation import Equation, rounded, signed_sum
from pdenet.equations.terms import Factor, Term

FACTORS = st.builds(Factor, st.sampled_from(["u", "v", "u_1", "E2"]), st.text(alphabet="xyz", max_size=3))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: number != 0.0)
ROWS = st.lists(st.tuples(st.lists(FACTORS, max_size=4), NUMBERS), max_size=6)


def build(rows: list[tuple[list[Factor], float]], lhs: str = "u_t") -> Equation:
    terms = [Term.product(factors) for factors, _ in rows]
    return Equation(lhs, tuple(terms), tuple(number for _, number in rows))


@given(ROWS)
def test_text_with_every_digit_is_read_back_exactly(rows: list[tuple[list[Factor], float]]) -> None:
    equation = build(rows)
    assert Equation.parse(equation.to_text(digits=None)) == equation


@given(ROWS)
def test_the_record_is_read_back_exactly(rows: list[tuple[list[Factor], float]]) -> None:
    equation = build(rows, "u_1_t")
    assert Equation.from_dict(equation.as_dict()) == equation
    with_errors = Equation(equation.lhs, equation.terms, equation.coefficients, (0.1,) * len(rows))
    assert Equation.from_dict(with_errors.as_dict()) == with_errors


def test_text_is_as_people_write_it() -> None:
    equation = Equation.parse("u_t = -1.00312*u*u_x + 0.1*u_xx - 2e-05*u**2 + 3.0")
    assert equation.to_text() == "u_t = -1.003*u*u_x + 0.1*u_xx - 2e-05*u**2 + 3"
    assert equation.to_text(digits=None) == "u_t = -1.00312*u*u_x + 0.1*u_xx - 2e-05*u**2 + 3.0"
    assert [str(term) for term in equation.terms] == ["u*u_x", "u_xx", "u**2", "1"]
    assert equation.coefficients == (-1.00312, 0.1, -2e-05, 3.0)
    assert (equation.lhs, equation.variable) == ("u_t", "u")


def test_a_factor_of_one_is_not_written() -> None:
    equation = Equation.parse("u_t = -1.00003*u*u_x + 1.0*u_xx - 0.99996*v + 1.0 - 10.0*u")
    assert equation.to_text() == "u_t = -u*u_x + u_xx - v + 1 - 10*u"
    assert Equation.parse(equation.to_text()) == Equation(equation.lhs, equation.terms, (-1.0, 1.0, -1.0, 1.0, -10.0))
    assert equation.to_text(digits=None) == "u_t = -1.00003*u*u_x + 1.0*u_xx - 0.99996*v + 1.0 - 10.0*u"


def test_no_terms_are_zero() -> None:
    assert Equation("u_t", (), ()).to_text() == "u_t = 0"
    assert Equation.parse("u_1_t = 0") == Equation("u_1_t", (), ())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "u_t",
        "u = 1.0*v",
        "= 1.0*u",
        "u_t =",
        "u_t = *u",
        "u_t = 2u",
        "u_t = 1.0*",
        "u_t = 1.0*u 2.0*v",
        "u_t = 1.0*u + ",
        "u_t = 1.0*u + + 2.0*v",
        "u_t = 1.0*2.0*u",
        "u_t = 1.0*u_t",
        "u_t = nan*u",
        "u_t = 1.0*inf",
        "u_t = 1.0*u = 2",
        "u_t = __import__",
    ],
)
def test_what_was_not_printed_is_not_read(text: str) -> None:
    with pytest.raises(UsageError):
        Equation.parse(text)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 terms, 2 coefficients"):
        Equation("u_t", (Term(),), (1.0, 2.0))
    with pytest.raises(ValueError, match="1 terms"):
        Equation("u_t", (Term(),), (1.0,), (0.1, 0.2))


@given(NUMBERS.map(abs), st.integers(1, 17))
def test_rounding_is_relative(number: float, digits: int) -> None:
    found = float(rounded(number, digits))
    # half a unit in the last of the significant digits, and the rounding of a double
    assert math.isinf(found) or abs(found - number) <= number * (0.5 * 10.0 ** (1 - digits) + 2.3e-16) + 5e-324


def test_sums_carry_their_signs() -> None:
    assert signed_sum([]) == "0"
    assert signed_sum([(True, "a"), (False, "b"), (True, "c")]) == "-a + b - c"
    assert signed_sum([(False, "a"), (True, "b")], minus="−") == "a − b"
