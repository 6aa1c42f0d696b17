"""What a training must know about a degradation: how to make it, how strong it is, what can be expected of a repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """clean, degraded: "batch channel row col" in [0, 1]. level: how strongly each is degraded, 0 not at all."""

    clean: Float[Tensor, "batch channel row col"]
    degraded: Float[Tensor, "batch channel row col"]
    level: Float[Tensor, " batch"]

    def rows(self, chosen: slice) -> Batch:
        """Some of the samples."""
        return Batch(self.clean[chosen], self.degraded[chosen], self.level[chosen])

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        return Batch(self.clean.to(device), self.degraded.to(device), self.level.to(device))


@runtime_checkable
class Degradation(Protocol):
    """One kind of degradation, at any level between none and `strongest`.

    People name its strength by whole numbers, grades: the standard deviation of noise on the scale of 255, the quality
    of a JPEG. watched: grades validated during a training. compared: grades at which stopping rules are compared.
    forms: of `graded`. margin: rows and columns that `drawn` takes away from patches. depth: of the unit trained on it.
    """

    name: ClassVar[str]
    forms: ClassVar[tuple[bool, ...]]
    margin: ClassVar[int]
    depth: ClassVar[int]

    @property
    def strongest(self) -> float: ...

    @property
    def watched(self) -> tuple[int, ...]: ...

    @property
    def compared(self) -> tuple[int, ...]: ...

    def level(self, grade: int) -> float:
        """The level of a grade."""
        ...

    def steps(self, level: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """How long a unit is unfolded before there is a stopping rule; a real number."""
        ...

    def typical_error(self, level: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """About the mean squared error that a good restorer leaves."""
        ...

    def drawn(self, clean: UInt8[np.ndarray, "batch wide_row wide_col channel"], choice: np.random.Generator) -> Batch:
        """Patches degraded at levels drawn at random."""
        ...

    def graded(
        self, pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]], grade: int, *, stored: bool
    ) -> Iterator[Batch]:
        """Every picture at one grade, always in the same way; stored: as an 8-bit file holds it, if that differs."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """What it was made with, plain values."""
        ...


def as_tensor(pictures: UInt8[np.ndarray, "batch row col channel"]) -> Float[Tensor, "batch channel row col"]:
    """8-bit pictures as images in [0, 1]."""
    return torch.tensor(pictures).permute(0, 3, 1, 2).float() / 255
