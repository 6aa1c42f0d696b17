"""The stages of PDE-Net 2.0's training: warm-up, then more and more blocks; and what each of them found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backbone.errors import UsageError
from pdenet.equations.equation import Equation


@dataclass(frozen=True)
class Stage:
    """blocks: Euler steps. warm_up: filters frozen and no penalties."""

    blocks: int
    warm_up: bool = False

    def __str__(self) -> str:
        return "warm-up" if self.warm_up else f"block {self.blocks}"


@dataclass(frozen=True)
class StageResult:
    """What a stage ended with: its loss (penalties included), L-BFGS iterations and equations, largest terms first."""

    name: str
    loss: float
    iterations: int
    equations: tuple[Equation, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "name": self.name,
            "loss": self.loss,
            "iterations": self.iterations,
            "equations": [equation.as_dict() for equation in self.equations],
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> StageResult:
        """Inverse of `as_dict`."""
        equations = tuple(Equation.from_dict(row) for row in record["equations"])
        return cls(record["name"], record["loss"], record["iterations"], equations)


def stages_until(last: int) -> tuple[Stage, ...]:
    """Warm-up, blocks 1 to 6, then 9, 12, ...; `last` is always the last one."""
    if last < 1:
        raise UsageError(f"{last} blocks are no training", where="blocks", cure="give 1 or more; the paper goes to 9")
    numbers = sorted({*range(1, min(last, 6) + 1), *range(9, last + 1, 3), last})
    return (Stage(1, warm_up=True), *(Stage(number) for number in numbers))
