"""What a protocol says: how pictures are degraded, what methods are told, how their answers are judged."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Float64, UInt8

from durr.model import Task

PEAK = 255.0
GRADES: Mapping[Task, str] = {"denoise": "sigma", "dejpeg": "quality"}  # what the rows of a task are counted by


@typing.runtime_checkable
class Protocol(typing.Protocol):
    """One protocol. grade: what its rows are counted by, as GRADES has it. name: as in the names of rows."""

    task: ClassVar[Task]
    grade: ClassVar[str]

    @property
    def name(self) -> str: ...

    def told(self, grade: float) -> float:
        """What a method is told of a grade."""
        ...

    def degraded(
        self, pictures: Sequence[UInt8[np.ndarray, ...]], grade: float
    ) -> Iterator[Float64[np.ndarray, "row col *channel"]]:
        """Each picture in turn, degraded, on the scale 0..255."""
        ...

    def finished(self, restored: Float[np.ndarray, "row col *channel"]) -> Float64[np.ndarray, "row col *channel"]:
        """A restored picture in [0, 1] as it is judged, on 0..255."""
        ...

    def scores(
        self, restored: Float[np.ndarray, "row col *channel"], clean: UInt8[np.ndarray, "row col *channel"]
    ) -> dict[str, float]:
        """The figures of a restored picture by name."""
        ...


def on_file_scale(
    restored: Float[np.ndarray, "row col *channel"], *, rounded: bool
) -> Float64[np.ndarray, "row col *channel"]:
    """A picture in [0, 1] on 0..255, clipped, and rounded as an 8-bit file holds it if that is asked for."""
    levels = np.clip(restored.astype(np.float64) * PEAK, 0, PEAK)
    return np.rint(levels) if rounded else levels


def task_of(row: Mapping[str, Any]) -> Task:
    """What a row of a record measures."""
    return next(task for task, name in GRADES.items() if name in row)


def grade_of(row: Mapping[str, Any]) -> tuple[str, float]:
    """What a row of a record is counted by, and its grade."""
    name = GRADES[task_of(row)]
    return name, row[name]
