"""What an experiment is: a question, methods compared over seeds, and bounds that the answer is held to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch

from backbone.checks.measured import Measured
from backbone.errors import UsageError
from backbone.experiments.results import Figure, Results

Measure = Callable[[str, int], Mapping[str, Figure]]  # of a method and a seed: one piece of the experiment


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table: mean and spread of a figure over seeds; beside: as a multiple of that method's."""

    figure: str
    title: str
    form: str = ".3g"
    beside: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One figure against another: points with their spread, or curves where the figures are lists."""

    x: str
    y: str
    x_title: str
    y_title: str
    x_log: bool = False
    y_log: bool = False


@dataclass(frozen=True, kw_only=True)
class Experiment(ABC):
    """The settings are the fields of the subclass, each with a default.

    name: on the command line. question: what it answers, in one sentence.
    """

    name: ClassVar[str]
    question: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    picture: ClassVar[Picture]

    @property
    @abstractmethod
    def methods(self) -> tuple[str, ...]:
        """The rows of the table, in order."""

    @abstractmethod
    def begin(self, data: Path | None, device: torch.device) -> Measure:
        """Read the data, check every word, and give what measures one piece: a method with a seed.

        A piece knows nothing of the others, so that any may be measured again alone. Raises InputError, UsageError.
        """

    def note(self, data: Path | None) -> str:
        """What must be said of the data wherever figures are shown; mostly nothing."""
        return ""

    @abstractmethod
    def bounds(self, results: Results) -> list[Measured]:
        """What the answer is held to, once all methods were measured."""

    def settings(self) -> dict[str, Any]:
        """All that decides the figures but data and seed, as JSON has it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def demand_cpu(device: torch.device) -> None:
    """Raise UsageError for an experiment in small float64 networks, which a GPU would only slow down."""
    if device.type != "cpu":
        raise UsageError("this experiment runs on the CPU", where=f"--device {device}", cure="--device cpu")
