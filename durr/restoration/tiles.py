"""Tiles: how a large image is cut so that every tile sees enough around it and fits into the memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from durr.unit import RestorationUnit

HALO_FIRST, HALO_STEP = 40, 5  # pixels, measured: see `halo`
SMALLEST_SIDE = 32


@dataclass(frozen=True)
class Span:
    """Pixels along one axis: start <= inner < stop are wanted, begin <= outer < end are looked at."""

    begin: int
    start: int
    stop: int
    end: int

    @property
    def outer(self) -> slice:
        """What is looked at, in the image."""
        return slice(self.begin, self.end)

    @property
    def inner(self) -> slice:
        """What is wanted, in the image."""
        return slice(self.start, self.stop)

    @property
    def within(self) -> slice:
        """What is wanted, in what is looked at."""
        return slice(self.start - self.begin, self.stop - self.begin)


@dataclass(frozen=True)
class Tile:
    """A rectangle of the image with its surroundings."""

    rows: Span
    columns: Span

    @property
    def outer(self) -> tuple[slice, slice]:
        """What is looked at, in the image."""
        return self.rows.outer, self.columns.outer

    @property
    def inner(self) -> tuple[slice, slice]:
        """What is wanted, in the image."""
        return self.rows.inner, self.columns.inner

    @property
    def within(self) -> tuple[slice, slice]:
        """What is wanted, in what is looked at."""
        return self.rows.within, self.columns.within

    @property
    def side(self) -> int:
        """The longer side of what is wanted."""
        return max(self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)

    @property
    def n_pixels(self) -> int:
        """Pixels of what is wanted."""
        return (self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start)


def halo(unit: RestorationUnit, steps: int) -> int:
    """Pixels that a tile looks at beyond its edges, so that `steps` steps differ from untiled by less than 1/255.

    What reaches over an edge falls off within a few pixels a step, sooner than the unit's field of view, steps * reach,
    which would be exact. Measured beside a cut through three photographs, noise 25 to 75, largest difference of all
    pixels: the weights that ship stay below 1/255 from 43, 47, 71 pixels on and below 0.3/255 from 47, 59, 90 pixels
    on after 4, 8, 12 steps (grey; colour needs half of that).
    """
    effective = HALO_FIRST + HALO_STEP * steps
    return rounded_up(min(effective, steps * unit.reach), unit.align)


def largest_side(n_pixels: int, margin: int, align: int) -> int:
    """The side of the largest square tile that looks at no more than n_pixels, and no less than SMALLEST_SIDE."""
    return max(math.isqrt(n_pixels) - 2 * margin, SMALLEST_SIDE) // align * align


def cut(rows: range, columns: range, side: int, margin: int, shape: tuple[int, int], align: int) -> Iterator[Tile]:
    """Tiles that cover rows x columns of an image of this shape, of nearly equal sides that do not exceed `side`.

    They begin at multiples of align, as the whole image does, so that the unit folds both alike.
    """
    for row in _spans(rows, side, margin, shape[0], align):
        for column in _spans(columns, side, margin, shape[1], align):
            yield Tile(row, column)


def _spans(axis: range, side: int, margin: int, length: int, align: int) -> list[Span]:
    count = max(math.ceil(len(axis) / side), 1)
    step = rounded_up(math.ceil(len(axis) / count), align)
    return [
        Span(
            begin=max(start - margin, 0),
            start=start,
            stop=min(start + step, axis.stop),
            end=min(start + step + margin, length),
        )
        for start in range(axis.start, axis.stop, step)
    ]


def rounded_up(length: int, align: int) -> int:
    """The next multiple of align."""
    return -(-length // align) * align
