"""Restrictions as typed: the library they leave, and their contradictions."""

from __future__ import annotations

import pytest

from backbone.errors import UsageError
from pdenet.discovery.restrictions import Restrictions
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term

NAMES, AXES = ("u", "v"), ("x",)
GENERAL = tuple(Term.parse(text) for text in ("1", "u", "v", "u_x", "u_xx", "v_xx"))


def texts(terms: tuple[Term, ...]) -> list[str]:
    return [str(term) for term in terms]


def test_the_library_of_each_equation() -> None:
    found = Restrictions.read(NAMES, AXES, fix="u_t: u_xx=0.1", forbid="1; u_t: v", terms="v_t: v_xx, u_xxx")
    assert texts(found.allowed("u", GENERAL)) == ["u", "u_x", "v_xx"]
    assert texts(found.allowed("v", GENERAL)) == ["v_xx", "u_xxx"]
    assert set(texts(found.library(NAMES, GENERAL))) >= {"u_xx", "v_xx", "u_xxx", "u"}
    assert found.order_and_degree() == (3, 1)


def test_nothing_said_restricts_nothing() -> None:
    found = Restrictions.read(NAMES, AXES)
    assert found.allowed("u", GENERAL) == GENERAL
    assert found.library(NAMES, GENERAL) == GENERAL
    assert found.order_and_degree() == (0, 0)


def test_equations_are_completed_by_what_is_fixed() -> None:
    found = Restrictions.read(("u",), AXES, fix="u_xx=0.1")
    equation = Equation("u_t", (Term.parse("u"),), (2.0,), (0.5,))
    assert found.completed(equation) == Equation("u_t", (Term.parse("u"), Term.parse("u_xx")), (2.0, 0.1), (0.5, 0.0))
    assert found.completed(Equation("v_t", (), ())) == Equation("v_t", (), ())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"fix": "u_t: u_xx=0.1", "forbid": "u_xx"}, "asked for and forbidden"),
        ({"terms": "u_xx, u", "forbid": "v_t: u"}, "v_t: 'u' is asked for and forbidden"),
        ({"fix": "u_t: u_xx=0.1, u=1", "max_terms": 1}, "2 terms are fixed"),
    ],
)
def test_contradictions(options: dict[str, str | int], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Restrictions.read(NAMES, AXES, **options)
