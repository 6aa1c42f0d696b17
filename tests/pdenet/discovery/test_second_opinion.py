"""The second opinion: the weak form finds the same equation by itself, and says how near it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pdenet.discovery.discover import discover
from pdenet.discovery.second_opinion import agreement
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

CPU = torch.device("cpu")


def equation(coefficients: dict[str, tuple[float, float]]) -> Equation:
    values, errors = zip(*coefficients.values(), strict=True)
    return Equation("u_t", tuple(map(Term.parse, coefficients)), values, errors)


def test_agreement_is_measured_in_shares_and_in_standard_errors() -> None:
    first = equation({"u_xx": (0.1, 0.003), "u*u_x": (-1.0, 0.0)})
    second = equation({"u*u_x": (-1.0, 0.0), "u_xx": (0.11, 0.004)})
    both = agreement(first, second)
    assert both.same_terms
    assert both.share == pytest.approx(0.1)
    assert both.sigmas == pytest.approx(2.0)  # 0.01 over hypot(3, 4) thousandths
    other = agreement(first, equation({"u_xx": (0.1, 0.003)}))
    assert not other.same_terms
    assert np.isnan(other.share)


def test_the_weak_form_finds_the_same_equation(burgers: Field) -> None:
    found = discover(burgers, device=CPU, order=2, degree=2)
    both = agreement(found.equations[0], found.opinions["u"])
    assert both.same_terms
    # sixth-order stencils on 48 points, products with waves up to 6: (k dx)^6 / 140 is 2e-3 for the fastest
    assert both.share < 1e-2


def test_no_second_opinion_where_there_is_no_second_way(heat: Field) -> None:
    walled = replace(heat, values=heat.values[..., :20].copy(), boundary=("none",))
    assert discover(walled, device=CPU, order=2, degree=1).opinions == {}
    small = replace(heat, values=heat.values[..., ::2].copy(), dx=(2 * heat.dx[0],))  # stencils reach half of 12 points
    assert discover(small, device=CPU, order=2, degree=1).opinions == {}
