"""Orders of accuracy: problems with closed forms x schemes, float64. A new scheme is a row of ROWS."""

from __future__ import annotations

import pytest
import torch

from backbone.checks.measured import SLOPE_MARGIN
from backbone.checks.orders import ROWS, slope
from backbone.checks.problems import FAMILIES


@pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family, problems in FAMILIES.items() for name in problems]
)
def test_the_problems_are_right(family: str, name: str) -> None:
    problem = FAMILIES[family][name]
    for t in (0.0, 0.4, problem.t1):
        d = 1e-3
        y, (ahead, behind) = problem.exact(t), [problem.exact(t + k * d) - problem.exact(t - k * d) for k in (1, 2)]
        slope = (8 * ahead - behind) / (12 * d)
        if family == "force":
            sums = [problem.exact(t + k * d) + problem.exact(t - k * d) for k in (1, 2)]
            slope = (16 * sums[0] - sums[1] - 30 * y) / (12 * d**2)
        # central differences of order 4: truncation d^4/30 times a fifth derivative below 1e3; rounding 1e-16/d,
        # and for forces 64 roundings of 2 over 12 d^2
        torch.testing.assert_close(problem.field(t, y), slope, rtol=0.0, atol=5e-9 if family == "force" else 1e-10)


@pytest.mark.parametrize(("row", "name"), [(row, name) for row, entry in ROWS.items() for name in entry.problems])
def test_order(row: str, name: str) -> None:
    assert slope(ROWS[row], name) == pytest.approx(ROWS[row].order, abs=SLOPE_MARGIN)


@pytest.mark.parametrize("row", ROWS)
def test_the_order_is_what_the_scheme_says(row: str) -> None:
    assert ROWS[row].scheme(2).order == ROWS[row].order or row == "LM(1)"  # k = 1 is the leapfrog, of order 2
