"""Where on the path of images the pixels of a picture stand: all at one time, or each at its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from durr.restoration.strength import image_at, neighbours

Part = tuple[slice, slice]  # rows and columns of the picture


@runtime_checkable
class Timing(Protocol):
    """From a place on the path, which stands for the picture as a whole, to the images there."""

    def whole_steps(self, positions: Sequence[float]) -> set[int]:
        """The whole steps that these positions lie between, at any pixel."""
        ...

    def image_at(
        self, place: float, images: Mapping[int, Float[Tensor, "lane band row col"]], part: Part
    ) -> Float[Tensor, "lane band row col"]:
        """A part of the picture at a place, from the images of that part after whole steps."""
        ...


@dataclass(frozen=True)
class Uniform:
    """All pixels at one time."""

    def whole_steps(self, positions: Sequence[float]) -> set[int]:
        return neighbours(positions)

    def image_at(
        self, place: float, images: Mapping[int, Float[Tensor, "lane band row col"]], part: Part
    ) -> Float[Tensor, "lane band row col"]:
        return image_at(place, images)


UNIFORM = Uniform()
