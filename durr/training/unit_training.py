"""The training of the restoration unit under given stopping times, resumable at any update."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from torch.optim import Adam, Optimizer

from backbone.checkpoint import load_state, save_state
from backbone.data_parallel import ALONE, Replicas
from backbone.errors import UsageError
from backbone.train.average import WeightAverage
from backbone.train.fit import Progress, fit
from backbone.train.gradient import Gradient
from backbone.train.muon import Muon
from backbone.train.together import Together
from durr.degradation.degradation import Batch
from durr.training.loss import StoppedError
from durr.training.patches import DegradedPatches
from durr.training.schedule import learning_rate_share, trunk_end
from durr.training.validation import Validation
from durr.unit import RestorationUnit

KIND = "unit training"
CHECKPOINT, TRUNK = "checkpoint.safetensors", "trunk.safetensors"
VALIDATE_EVERY = 1000  # updates
WEIGHT_DECAY = 0.2  # of Muon: without it singular values grow from 2 to 7 in 8000 updates, and unfolding explodes

Stopping = Callable[[Batch, int], Int[Tensor, " batch"]]  # the steps of every sample of a batch, at an update


@dataclass(frozen=True, kw_only=True)
class UnitSettings:
    """n_steps updates at a full learning rate, and a checkpoint every so many seconds; stage: name of the files."""

    stage: str
    n_steps: int
    learning_rate: float
    precision: torch.dtype
    device: torch.device
    save_every_s: float


class UnitTraining:
    """One training of a unit in a run folder: updates, average, checkpoints, validation, progress.

    unit: its initial weights; it is trained in place. stopping: how often each sample is unfolded.
    Going on from a checkpoint gives the weights of the unbroken training bit for bit on one machine with one number
    of threads. n_steps may grow when a training goes on, unless the learning rate has begun to fall: then the state
    before that, kept apart, is where the longer one goes on.
    replicas: each takes its share of every batch; the first one validates, saves and tells.
    """

    def __init__(
        self,
        settings: UnitSettings,
        unit: RestorationUnit,
        stopping: Stopping,
        patches: DegradedPatches,
        validation: Validation,
        folder: Path,
        *,
        progress: Callable[[str], None],
        log: Callable[[Mapping[str, Any]], None],
        replicas: Replicas = ALONE,
    ) -> None:
        self.settings = settings
        self.patches = patches
        self.validation = validation
        self.folder = folder
        self.progress = progress
        self.log = log
        self.replicas = replicas
        self.optimiser = _optimiser(unit, settings.learning_rate)
        loss = StoppedError(lambda batch: stopping(batch, self.step), settings.precision, patches.degradation)
        self.update = Gradient(unit, loss, self.optimiser, replicas)
        self.average = WeightAverage(unit)
        self.step = 0
        self.report: dict[int, float] = {}
        self._saved_at = self._began_at = time.monotonic()
        self._began_step = 0

    def resume(self) -> bool:
        """Go on from what the folder holds; whether there was anything."""
        path = self._path(CHECKPOINT)
        if not path.exists():
            return False
        state = load_state(path, kind=KIND, device=self.settings.device)
        if state["n_steps"] != self.settings.n_steps and state["step"] > trunk_end(
            min(self.settings.n_steps, state["n_steps"])
        ):
            state = self._trunk()
        self.update.load_state_dict(state["update"])
        self.average.load_state_dict(state["average"])
        self.step = self._began_step = state["step"]
        return True

    def _trunk(self) -> dict[str, Any]:
        path = self._path(TRUNK)
        state = load_state(path, kind=KIND, device=self.settings.device) if path.exists() else None
        if state is None or state["step"] > trunk_end(self.settings.n_steps):
            raise UsageError(
                f"the learning rate of {self.settings.n_steps} steps would have fallen before this state",
                where=f"--steps {self.settings.n_steps}",
                cure="--resume with the --steps of before, or with more",
            )
        return state

    def run(self) -> RestorationUnit:
        """Train to the end; the averaged weights."""
        left = self.settings.n_steps - self.step
        if left > 0:
            self._set_learning_rate()
            observers = [self._count, self.average, *([self._watch] if self.replicas.first else [])]
            fit(self.update, self._batches(), n_steps=left, observers=observers, replicas=self.replicas)
        return self.average.net  # type: ignore[return-value]

    def _batches(self) -> Any:
        own = self.replicas.own(self.patches.batch)
        return (batch.rows(own).to(self.settings.device) for batch in self.patches.after(self.step))

    def _set_learning_rate(self) -> None:
        share = learning_rate_share(self.step + 1, self.settings.n_steps)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate * share

    def _count(self, progress: Progress) -> None:
        self.step += 1
        self._set_learning_rate()

    def _watch(self, progress: Progress) -> None:
        if self.step % VALIDATE_EVERY == 0:
            self.report = self.validation(self.average.net)  # type: ignore[arg-type]
            record = {"stage": self.settings.stage, "step": self.step, "loss": progress.metrics["loss"]}
            self.log({**record, "psnr": self.report})
        if self.step == trunk_end(self.settings.n_steps):
            self._save(TRUNK)
        last = progress.interrupted or self.step == self.settings.n_steps
        if last or time.monotonic() - self._saved_at > self.settings.save_every_s:
            self._save(CHECKPOINT)
            self._saved_at = time.monotonic()
        self.progress(self._line(progress.metrics["loss"]))

    def _line(self, loss: float) -> str:
        pace = (time.monotonic() - self._began_at) / (self.step - self._began_step)
        minutes = pace * (self.settings.n_steps - self.step) / 60
        psnr = " ".join(f"{grade}: {value:.2f}" for grade, value in self.report.items())
        known = f"  PSNR {psnr} dB" if psnr else ""
        place = f"{self.settings.stage}: step {self.step}/{self.settings.n_steps}"
        return f"{place}  loss {loss:.4f}  {minutes:.0f} min left{known}"

    def _save(self, name: str) -> None:
        state = {
            "step": self.step,
            "n_steps": self.settings.n_steps,
            "update": self.update.state_dict(),
            "average": self.average.state_dict(),
        }
        save_state(self._path(name), state, kind=KIND)

    def _path(self, name: str) -> Path:
        return self.folder / f"{self.settings.stage}-{name}"


def _optimiser(unit: RestorationUnit, learning_rate: float) -> Optimizer:
    """Muon for the kernels, Adam for the numbers that a scheme learns."""
    numbers = [weight for weight in unit.parameters() if weight.ndim < 2]
    matrices = [weight for weight in unit.parameters() if weight.ndim >= 2]
    muon = Muon(matrices, lr=learning_rate, weight_decay=WEIGHT_DECAY)
    return Together([muon, Adam(numbers, lr=learning_rate)]) if numbers else muon
