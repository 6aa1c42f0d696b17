from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import UsageError
from pdenet.equations.terms import Factor, Term

factors = st.builds(
    Factor, st.sampled_from(["u", "v", "rho", "u_1", "T2"]), st.text(alphabet="xyz", min_size=0, max_size=4)
)


@given(factors)
def test_factor_text_is_read_back(factor: Factor) -> None:
    assert Factor.parse(str(factor)) == factor


@given(st.lists(factors, max_size=5))
def test_term_text_is_read_back(product: list[Factor]) -> None:
    term = Term.product(product)
    assert Term.parse(str(term)) == term


@given(st.lists(factors, min_size=1, max_size=5), st.randoms())
def test_the_order_of_factors_does_not_matter(product: list[Factor], random: object) -> None:
    shuffled = list(product)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Term.product(shuffled) == Term.product(product)
    assert hash(Term.product(shuffled)) == hash(Term.product(product))


def test_mixed_derivatives_commute() -> None:
    assert Factor.parse("u_yx") == Factor("u", "xy")
    assert str(Factor("u", "yxx")) == "u_xxy"


def test_an_index_is_no_derivative() -> None:
    assert Factor.parse("u_1") == Factor("u_1")
    assert Factor.parse("u_1_xx") == Factor("u_1", "xx")


@pytest.mark.parametrize(
    ("text", "written", "degree", "order"),
    [
        ("u*u_x", "u*u_x", 2, 1),
        ("u_x*u", "u*u_x", 2, 1),
        ("u*u*v", "u**2*v", 3, 0),
        ("u^2", "u**2", 2, 0),
        ("u_xx**2 * u", "u*u_xx**2", 3, 4),
        ("1", "1", 0, 0),
    ],
)
def test_terms_have_one_spelling(text: str, written: str, degree: int, order: int) -> None:
    term = Term.parse(text)
    assert (str(term), term.degree, term.order) == (written, degree, order)
    assert len(term.factors) == degree


@pytest.mark.parametrize(
    "text", ["", "u+v", "u_tt", "u_xt", "2*u", "u**0", "u**-1", "u**1.5", "u_", "(u)", "_x", "u__x"]
)
def test_what_is_no_term_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Term.parse(text)
