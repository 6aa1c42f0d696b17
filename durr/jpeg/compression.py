"""What is known about the compression of a picture: from the tables of its file, from its pixels, or from the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from durr.images.depth import to_unit
from durr.jpeg.blockiness import find_pattern
from durr.jpeg.grid import find_grid, quality_on_grid
from durr.jpeg.tables import SIDE, quality_of_table
from durr.jpeg.windows import PEAK, Samples, luma, luma_windows

SLIGHT = 98  # from this quality on there is nothing to repair
LOWER = 10  # qualities by which pixels must be worse than the tables of their file to be evidence of an earlier one
LOOKED_AT = 1536  # rows and columns in the middle of a picture that patterns are sought in

Source = Literal["tables", "pixels", "option"]


@dataclass(frozen=True, kw_only=True)
class Compression:
    """quality: of 1 ... 100 as libjpeg counts, None where it cannot be told. source: who says so.

    grid: rows and columns before the first whole block, None where there are no blocks. period: pixels from break to
    break where that is not the side of a block, as in a picture that was resized after its compression. saved: quality
    of the tables of the file, where the pixels tell of an earlier and stronger compression.
    """

    quality: int | None = None
    source: Source = "pixels"
    grid: tuple[int, int] | None = None
    period: float | None = None
    saved: int | None = None

    @property
    def resized(self) -> bool:
        """Whether the picture seems to have been resized after its compression."""
        return self.period is not None

    @property
    def slight(self) -> bool:
        """Whether there is nothing to repair: hardly compressed, or no trace of compression."""
        if self.quality is None:
            return self.grid is None and not self.resized
        return self.quality >= SLIGHT

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        width = f"{self.period or SIDE:.1f}"
        notes = {
            f"breaks every {width} pixels, not {SIDE}: resized after compression? Weak ground for a repair":
                self.resized,
            f"compressed before at about {self.quality} and saved again at {self.saved}": self.saved is not None,
            "no trace of JPEG compression: nothing to repair, copied unchanged; --quality N repairs it all the same":
                self.slight and self.quality is None,
            f"quality {self.quality}: nothing to repair, copied unchanged": self.slight and self.quality is not None,
        }  # fmt: skip
        return tuple(note for note, holds in notes.items() if holds)

    def __str__(self) -> str:
        quality = "unknown" if self.quality is None else f"{self.quality} by its {self.source}"
        if self.source == "option":
            quality = f"{self.quality} as told"
        grid = "none" if self.grid is None else f"{self.grid[0]},{self.grid[1]}"
        return f"quality {quality}  grid {grid}"

    def as_dict(self) -> dict[str, Any]:
        """The same by name, for a record."""
        return {
            "quality": self.quality,
            "quality_from": self.source,
            "grid": None if self.grid is None else list(self.grid),
            "period": self.period,
            "saved_again_at": self.saved,
        }


def look_at(samples: Samples, *, table: Sequence[int] = (), told: int | None = None) -> Compression:
    """The compression of a picture. table: luma steps of its file, row by row. told: quality that the user gave.

    Blocks are where the pixels show them: those of an earlier compression, if that was stronger than the file's own.
    """
    seen = _seen(samples)
    if told is not None:
        return replace(seen, quality=told, source="option", grid=seen.grid or ((0, 0) if table else None))
    if not table:
        return seen
    saved = quality_of_table(table)
    if seen.quality is not None and seen.quality <= saved - LOWER:
        return replace(seen, saved=saved)
    return Compression(quality=saved, source="tables", grid=(0, 0))


def _seen(samples: Samples) -> Compression:
    """What the pixels tell."""
    windows = luma_windows(samples)
    grid = find_grid(windows)
    if grid is not None:
        return Compression(quality=grid.quality, grid=grid.offset)
    rows, columns = (slice(start, start + LOOKED_AT) for start in _starts(samples))
    pattern = find_pattern(luma(to_unit(samples[rows, columns])) * PEAK)
    if pattern is None:
        return Compression()
    if pattern.offset is None:
        return Compression(period=pattern.period)
    return Compression(quality=quality_on_grid(windows, pattern.offset), grid=pattern.offset)


def _starts(samples: Samples) -> tuple[int, int]:
    """First row and column of the part in the middle, multiples of SIDE."""
    row, column = (max(length - LOOKED_AT, 0) // 2 // SIDE * SIDE for length in samples.shape[:2])
    return row, column
