"""Every training algorithm keeps the bounds of the checks that define it. A new one is a row of ALGORITHMS."""

from __future__ import annotations

import pytest

from backbone.checks.algorithms import ALGORITHMS


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_algorithm_keeps_its_bounds(name: str) -> None:
    assert [measured for measured in ALGORITHMS[name].check() if not measured.passed] == []
