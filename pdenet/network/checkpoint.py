"""The last finished stage of the paper's training on disk: to go on from, to show what it found, to forecast with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from backbone.checkpoint import load_state, save_state
from backbone.errors import ModelError, UsageError
from pdenet.fields.field import Field
from pdenet.network.rhs import LearnedPDE
from pdenet.network.stages import StageResult

FILE = "paper.safetensors"
KIND = "paper recipe"


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """What decides the untrained network besides the data.

    order: highest derivative. size: points of a kernel per axis. accuracy: order dx^accuracy the filters are held to.
    hidden: products of each symbolic network. seed: of its first weights.
    """

    order: int = 2
    size: int = 5
    accuracy: int = 2
    hidden: int = 5
    seed: int = 0

    def untrained(self, field: Field, *, dtype: torch.dtype, device: torch.device) -> LearnedPDE:
        """The network for the variables and the grid of a field, upwind as in the paper."""
        return LearnedPDE.of(
            field,
            order=self.order,
            size=self.size,
            accuracy=self.accuracy,
            stencil="upwind",
            upwind=True,
            hidden=self.hidden,
            generator=torch.Generator(device="cpu").manual_seed(self.seed),
            dtype=dtype,
            device=device,
        )

    def as_dict(self) -> dict[str, int]:
        """The same as plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Checkpoint:
    """The last finished stage in a folder, with the options and the data it belongs to."""

    path: Path
    options: dict[str, Any]

    @classmethod
    def of(cls, folder: Path, options: NetworkOptions, field: Field) -> Checkpoint:
        """The checkpoint of a training with these options on this field."""
        data = [*field.values.shape, field.dt, *field.dx]
        return cls(folder / FILE, {**options.as_dict(), "data": data})

    def restore(self, model: LearnedPDE) -> list[StageResult]:
        """Load the weights and give the stages done; none without a file."""
        if not self.path.exists():
            return []
        state = load_state(self.path, kind=KIND)
        if state["options"] != self.options:
            raise UsageError(
                "this checkpoint belongs to other options or data", where=str(self.path), cure="choose another folder"
            )
        model.load_state_dict(state["model"])
        return [StageResult.from_dict(record) for record in state["stages"]]

    def keep(self, model: LearnedPDE, results: Iterable[StageResult]) -> None:
        """Write the weights and the stages done."""
        stages = [result.as_dict() for result in results]
        save_state(self.path, {"options": self.options, "model": model.state_dict(), "stages": stages}, kind=KIND)


def last_stage(folder: Path) -> tuple[StageResult, float, tuple[float, ...]]:
    """The last finished stage in a folder, with dt and dx of its data. Raises ModelError if the file is no good."""
    state = load_state(folder / FILE, kind=KIND)
    data = state["options"]["data"]
    n_dims = (len(data) - 4) // 2  # run, time, channel, space, dt, dx
    return StageResult.from_dict(state["stages"][-1]), data[3 + n_dims], tuple(data[4 + n_dims :])


def restore_network(folder: Path, field: Field, *, device: torch.device) -> LearnedPDE:
    """The trained network of a folder, for the variables and boundaries of `field`, whose grid it must have.

    Raises ModelError if the file is missing, damaged or of other variables.
    """
    state = load_state(folder / FILE, kind=KIND, device=device)
    options = NetworkOptions(**{name: value for name, value in state["options"].items() if name != "data"})
    model = options.untrained(field, dtype=torch.float64, device=device)
    try:
        model.load_state_dict(state["model"])
    except RuntimeError as error:
        raise ModelError(
            f"the network is of other variables than {', '.join(field.names)}",
            where=str(folder / FILE),
            cure="forecast from data of the kind it was learnt from",
        ) from error
    return model
