"""What defines the filters and blocks of PDE-Net keeps its bounds, in `backbone check` too."""

from __future__ import annotations

import pytest

from pdenet.checks import CHECKABLES


@pytest.mark.parametrize("name", CHECKABLES)
def test_every_number_is_within_its_bounds(name: str) -> None:
    measured = CHECKABLES[name].check()
    assert [entry for entry in measured if not entry.passed] == []
    assert len(measured) > 2
