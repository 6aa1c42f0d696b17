"""Where a forecast gets its model: the folder of a run of `learn`, or an estimator that has just been fitted."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch

from backbone.errors import UsageError
from pdenet.fields.field import Field
from pdenet.learned.reading import read_learned
from pdenet.learned.record import Learned
from pdenet.network.checkpoint import restore_network
from pdenet.network.paper import PaperResult
from pdenet.network.rhs import LearnedPDE

Solver = Literal["equation", "network"]


@runtime_checkable
class Fitted(Protocol):
    """An estimator after `fit`: `pdenet.PDENet`."""

    @property
    def learned_(self) -> Learned: ...

    @property
    def paper_(self) -> PaperResult | None: ...


Run = str | PathLike[str] | Fitted


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """What was learned. name: of the run. folder: of the network's file. network: the one in memory, if it is."""

    learned: Learned
    name: str
    folder: Path | None = None
    network: LearnedPDE | None = None

    @classmethod
    def of(cls, run: object) -> Source:
        """A finished run by its folder, or a fitted estimator; UsageError for anything else."""
        if isinstance(run, str | PathLike):
            return cls(learned=read_learned(Path(run)), name=str(run), folder=Path(run))
        if not isinstance(run, Fitted):
            raise UsageError(
                f"a {type(run).__name__} is neither the folder of a run nor an estimator that has learned",
                where="forecast",
                cure="forecast(PDENet().fit(field), field, t_end=1.0)",
            )
        network = run.paper_.model if run.paper_ is not None else None
        return cls(learned=run.learned_, name="the estimator", network=network)

    def solvers(self, asked: str | None) -> tuple[Solver, ...]:
        """Which of the models are run, the first one for the result; UsageError for one that the run does not have.

        None takes the network if there is one: its printed equation leaves out its small terms.
        """
        known: dict[str | None, tuple[Solver, ...]] = {
            None: ("network",) if self.learned.recipe == "paper" else ("equation",),
            "equation": ("equation",),
            "network": ("network",),
            "both": ("equation", "network"),
        }
        if asked not in known:
            raise UsageError(f"unknown solver '{asked}'", where="--solver", cure="--solver equation, network or both")
        if "network" in known[asked] and self.learned.recipe != "paper":
            raise UsageError(
                f"{self.name} has no network: it was learnt by the recipe '{self.learned.recipe}'",
                where=f"--solver {asked}",
                cure="--solver equation, or learn with --recipe paper",
            )
        return known[asked]

    def load_network(self, field: Field, device: torch.device) -> LearnedPDE:
        """The trained network, for the variables and boundaries of a field."""
        if self.network is not None:
            return self.network
        if self.folder is None:
            raise ValueError(f"{self.name} has neither a network nor a folder")
        return restore_network(self.folder, field, device=device)
