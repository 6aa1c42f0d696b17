"""The candidate library: what is in it, and how a term is evaluated."""

from __future__ import annotations

import torch

from pdenet.equations.library import candidate_terms, evaluate_term
from pdenet.equations.terms import Factor, Term


def test_small_library_is_the_one_written_by_hand() -> None:
    terms = candidate_terms(("u",), ("x",), order=2, degree=2)
    assert {str(term) for term in terms} == {"1", "u", "u**2", "u_x", "u*u_x", "u_xx", "u*u_xx", "u_x**2"}


def test_library_of_burgers_holds_the_sum_of_orders_below_the_bound() -> None:
    terms = candidate_terms(("u", "v"), ("y", "x"), order=2, degree=2)
    assert len(terms) == len(set(terms)) == 46
    assert all(term.order <= 2 and term.degree <= 2 for term in terms)
    assert Term.parse("v*u_y") in terms
    assert Term.parse("u_xx*v_yy") not in terms


def test_terms_are_products_of_their_factors() -> None:
    u, u_x = torch.tensor([2.0, 3.0]), torch.tensor([5.0, 7.0])
    factors = {Factor("u"): u, Factor("u", "x"): u_x}
    assert torch.equal(evaluate_term(Term.parse("u**2*u_x"), factors), u * u * u_x)
    assert torch.equal(evaluate_term(Term(), factors), torch.ones(2))
