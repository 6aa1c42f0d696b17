"""What a check measures: a number and the bounds it must keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Number = float | int
SLOPE_MARGIN = 0.15  # what a measured order may be off by: terms of the next power of h


@dataclass(frozen=True)
class Measured:
    """A number with its bounds, both allowed."""

    what: str
    value: Number
    least: Number
    most: Number

    @property
    def passed(self) -> bool:
        """Whether the number is within its bounds; NaN is not."""
        return self.least <= self.value <= self.most

    @classmethod
    def order(cls, what: str, errors: Sequence[float], expected: Number, *, ratio: float = 2.0) -> Measured:
        """The slope of errors of which each was got with steps `ratio` times shorter: the last one counts."""
        slope = math.log(errors[-2] / errors[-1]) / math.log(ratio)
        return cls(what, slope, expected - SLOPE_MARGIN, expected + SLOPE_MARGIN)

    @classmethod
    def below(cls, what: str, value: Number, most: Number) -> Measured:
        """A number that must not be larger than a bound, nor negative."""
        return cls(what, value, 0.0, most)

    @classmethod
    def above(cls, what: str, value: Number, least: Number) -> Measured:
        """A number that must not be smaller than a bound."""
        return cls(what, value, least, math.inf)


@dataclass(frozen=True)
class Checkable:
    """Something that is checked: the file that holds it, and what measures it."""

    file: str
    check: Callable[[], list[Measured]]


Room = Callable[[], Mapping[str, Checkable]]  # what a room of the application has to be checked, by name
