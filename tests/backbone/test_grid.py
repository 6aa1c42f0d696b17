"""Grids: exact ends, no running sums, refinement and coarsening."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.errors import UsageError
from backbone.grid import Grid


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3), st.integers(1, 200), st.integers(1, 7))
def test_refine_keeps_the_times_and_coarsen_undoes_it(t0: float, length: float, n: int, m: int) -> None:
    grid = Grid.uniform(t0, t0 + length, n)
    fine = grid.refine(m)
    assert grid.ts[0] == t0
    assert grid.ts[-1] == t0 + length
    assert fine.n_steps == n * m
    assert fine.coarsen(m) == grid


def test_uniform_times_are_products_not_sums() -> None:
    grid = Grid.uniform(0.0, 1.0, 10)
    assert grid.ts == tuple(k / 10 for k in range(11))
    assert grid.steps[3] == (3 / 10, 4 / 10)


def test_a_grid_may_run_backwards() -> None:
    assert Grid.uniform(1.0, 0.0, 2).ts == (1.0, 0.5, 0.0)


@pytest.mark.parametrize("ts", [(0.0,), (0.0, 0.0), (0.0, 1.0, 0.5), (0.0, float("nan")), (0.0, float("inf"))])
def test_times_that_are_no_grid_are_refused(ts: tuple[float, ...]) -> None:
    with pytest.raises(UsageError):
        Grid(ts)


def test_wrong_counts_are_refused() -> None:
    grid = Grid.uniform(0.0, 1.0, 6)
    with pytest.raises(UsageError, match="n must be at least 1"):
        Grid.uniform(0.0, 1.0, 0)
    with pytest.raises(UsageError, match="m must be at least 1"):
        grid.refine(0)
    with pytest.raises(UsageError, match="6 steps cannot be joined 4 by 4"):
        grid.coarsen(4)
