"""Typed lists of terms: what they mean, and what their mistakes are told."""

from __future__ import annotations

import pytest

from backbone.errors import UsageError
from pdenet.equations.term_lists import read_coefficients, read_terms
from pdenet.equations.terms import Term

NAMES, AXES = ("u", "v"), ("y", "x")


def parsed(*texts: str) -> tuple[Term, ...]:
    return tuple(Term.parse(text) for text in texts)


def test_a_list_without_a_head_is_for_every_equation() -> None:
    expected = parsed("u*u_x", "v_yy")
    assert read_terms("u_x*u, v_yy , u*u_x", NAMES, AXES, "--forbid") == {"u": expected, "v": expected}


def test_heads_say_which_equation() -> None:
    found = read_terms("u_t: u_xx, u_yy; v_t: v_xx", NAMES, AXES, "--terms")
    assert found == {"u": parsed("u_xx", "u_yy"), "v": parsed("v_xx")}


def test_coefficients_are_numbers() -> None:
    found = read_coefficients("u_t: u_xx=0.1, u*u_x = -1e0; v_t: 1=2", NAMES, AXES, "--fix")
    assert found == {"u": dict(zip(parsed("u_xx", "u*u_x"), (0.1, -1.0), strict=True)), "v": {Term(): 2.0}}
    assert read_coefficients("u_xx=0.1", ("u",), ("x",), "--fix") == {"u": {Term.parse("u_xx"): 0.1}}


@pytest.mark.parametrize(
    ("text", "told", "cure"),
    [
        ("u*w_x", "there is no 'w_x'", ""),
        ("u*ux", "Did you mean u_x?", '--forbid "u*u_x"'),
        ("v_zz", "there is no 'v_zz'", ""),
        ("2*u_x", "not a variable", ""),
        ("u_xx, ", "an empty place", ""),
        ("", "an empty place", ""),
        ("w_t: u_xx", "'w_t' is no equation here", ""),
        ("u: u_xx", "'u' is no equation here", '"u_t: ...; ..."'),
    ],
)
def test_mistakes_in_terms(text: str, told: str, cure: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_terms(text, NAMES, AXES, "--forbid")
    assert told in caught.value.what
    assert cure in caught.value.cure
    assert caught.value.where == "--forbid"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("u_t: u_xx", "has no value"),
        ("u_t: u_xx=a", "'a' is no number"),
        ("u_t: u_xx=inf", "'inf' is no number"),
        ("u_xx=0.1", "in which equation"),
        ("u_t: u_xx=0.1, u_xx=0.2", "two values"),
        ("u_t: u_xx=0.1=0.2", "is no number"),
    ],
)
def test_mistakes_in_coefficients(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        read_coefficients(text, NAMES, AXES, "--fix")
