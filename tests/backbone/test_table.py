"""Columns of a table."""

from __future__ import annotations

from backbone.table import aligned


def test_words_stand_left_and_numbers_right() -> None:
    assert aligned([("name", "a", "b"), ("x", "1.25", "7"), ("longer", "2", "12345")]) == [
        "name       a      b",
        "x       1.25      7",
        "longer     2  12345",
    ]
