"""The training of a restorer, from folders of images to a run folder with a model."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from backbone.data_parallel import ALONE, Replicas, shared_run
from backbone.errors import UsageError
from backbone.precision import convolution_precision
from backbone.runs import RunFolder, demand_folder
from durr.degradation.degradation import Degradation
from durr.model import RestorationModel
from durr.stepping import demand_known
from durr.training.card import model_card
from durr.training.patches import DegradedPatches
from durr.training.pictures import Pictures, pictures_of
from durr.training.schedule import ByRule, HandSet
from durr.training.stopping import Candidate, with_best_rule
from durr.training.unit_training import Stopping, UnitSettings, UnitTraining
from durr.training.validation import Validation
from durr.unit import RestorationUnit

MODEL, CARD = "model.safetensors", "model.json"
UNIT, JOINT = "unit", "joint"  # the stages that change the unit, as their checkpoints are named
JOINT_STEPS, JOINT_RATE = 0.1, 0.1  # of the updates and of the learning rate of the first stage
JOINT_SEED = 2  # added to the seed: other patches than those of the first stage

Talk = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The options of a training. Raises UsageError for channels or patches that no unit takes."""

    degradation: Degradation
    scheme: str = "euler"
    data: tuple[Path, ...]
    val: tuple[Path, ...]
    channels: int
    n_steps: int
    batch: int
    patch: int
    learning_rate: float
    seed: int
    device: torch.device
    save_every_s: float

    def __post_init__(self) -> None:
        demand_known(self.scheme)
        if self.channels not in (1, 3):
            raise UsageError(f"{self.channels} channels", where="--channels", cure="--channels 1 or --channels 3")
        if self.patch % RestorationUnit.align:
            raise UsageError(
                f"a patch of {self.patch} cannot be folded",
                where="--patch",
                cure=f"--patch {self.patch + -self.patch % RestorationUnit.align}",
            )

    def as_dict(self) -> dict[str, Any]:
        """All that decides the weights but the number of steps, as plain values; Euler's scheme goes without saying."""
        return {
            **({} if self.scheme == "euler" else {"scheme": self.scheme}),
            "data": [str(path) for path in self.data],
            "val": [str(path) for path in self.val],
            "channels": self.channels,
            **self.degradation.as_dict(),
            "batch": self.batch,
            "patch": self.patch,
            "learning_rate": self.learning_rate,
            "seed": self.seed,
        }


def train_restorer(
    settings: TrainSettings,
    *,
    out: Path | None,
    overwrite: bool,
    resume: bool,
    talk: Talk,
    progress: Talk,
    replicas: Replicas = ALONE,
) -> dict[str, Any]:
    """Train in a run folder, or go on in one; the model's card, with the folder as "run".

    Of replicas the first one alone makes the card; for the others it is empty.
    """
    demand_folder(out, resume=resume)
    replicas.own(settings.batch)
    pictures = pictures_of(settings.data, settings.val, settings.channels, talk)
    command = f"train {settings.degradation.name}"
    folder = shared_run(
        replicas, command.replace(" ", "-"), settings.as_dict(), out=out, overwrite=overwrite, resume=resume
    )
    with folder as run:
        model, figures = _trained(_Stages(settings, pictures, run, talk, progress, replicas))
        if not replicas.first:
            return {}
        model.save(run.work / MODEL)
        card = model_card(
            model,
            run.work / MODEL,
            command=f"pdenet-durr {command}",
            settings={**settings.as_dict(), **replicas.as_dict(), "steps": settings.n_steps},
            pictures=pictures.files,
            figures=figures,
        )
        run.write_json(CARD, card)
    return {"run": str(run.path), **card}


def _trained(stages: _Stages) -> tuple[RestorationModel, dict[str, Any]]:
    """The model and what it reached on the validation pictures.

    The three stages of DURR: the unit under hand-set numbers of steps, a policy for it, and the unit refined under that
    policy, for which it is then learned again. What is better on the validation pictures is kept.
    Replicas share the updates of the unit; the rules each learns alike, for all need them and none would wait less.
    """
    settings = stages.settings
    unit = RestorationUnit(
        settings.channels,
        depth=settings.degradation.depth,
        scheme=settings.scheme,
        generator=torch.Generator().manual_seed(settings.seed),
    )
    alone = stages.stopped(stages.of_the_unit(unit.to(settings.device)))
    joint = stages.stopped(stages.joint(alone.model))
    best = max((alone, joint), key=lambda candidate: candidate.worth)
    figures = {
        "validation_psnr": stages.validation(best.model.unit),
        "kept": JOINT if best is joint else UNIT,
        "stopping": {UNIT: alone.as_dict(), JOINT: joint.as_dict()},
    }
    return best.model, figures


class _Stages:
    """The stages of one training, and what they share."""

    def __init__(
        self,
        settings: TrainSettings,
        pictures: Pictures,
        run: RunFolder,
        talk: Talk,
        progress: Talk,
        replicas: Replicas,
    ) -> None:
        self.settings = settings
        self.pictures = pictures
        self.run = run
        self.talk = talk
        self.progress = progress
        self.replicas = replicas
        self.precision = convolution_precision(settings.device)
        self.validation = Validation(pictures.validating, settings.degradation, self.precision)

    def of_the_unit(self, unit: RestorationUnit) -> RestorationUnit:
        """The first stage. If it changes anything, what a joint stage left of an earlier unit is void."""
        settings = self.settings
        training = self._training(
            UNIT,
            unit,
            HandSet(settings.seed, settings.degradation, self.replicas),
            n_steps=settings.n_steps,
            rate=settings.learning_rate,
            seed=settings.seed,
        )
        if training.step < settings.n_steps and self.replicas.first:
            for stale in self.run.work.glob(f"{JOINT}-*"):
                stale.unlink()
        return training.run()

    def joint(self, model: RestorationModel) -> RestorationUnit:
        """The unit of a model, refined at the stopping times of its rule."""
        settings = self.settings
        unit = copy.deepcopy(model.unit).requires_grad_(True)
        training = self._training(
            JOINT,
            unit,
            ByRule(model.rule, unit, model.max_steps, self.precision),
            n_steps=math.ceil(JOINT_STEPS * settings.n_steps),
            rate=JOINT_RATE * settings.learning_rate,
            seed=settings.seed + JOINT_SEED,
        )
        return training.run()

    def stopped(self, unit: RestorationUnit) -> Candidate:
        """The second stage: the unit with the stopping rule that is best for it."""
        self.talk("stopping rules are learned")
        settings = self.settings
        candidate = with_best_rule(
            unit,
            self.pictures,
            settings.degradation,
            n_steps=settings.n_steps,
            precision=self.precision,
            seed=settings.seed,
        )
        self.talk(candidate.learned.comparison.table())
        return candidate

    def _training(
        self, stage: str, unit: RestorationUnit, stopping: Stopping, *, n_steps: int, rate: float, seed: int
    ) -> UnitTraining:
        """A stage of updates, at its checkpoint if there is one."""
        settings = self.settings
        unit_settings = UnitSettings(
            stage=stage,
            n_steps=n_steps,
            learning_rate=rate,
            precision=self.precision,
            device=settings.device,
            save_every_s=settings.save_every_s,
        )
        patches = DegradedPatches(
            self.pictures.training,
            batch=settings.batch,
            size=settings.patch,
            degradation=settings.degradation,
            seed=seed,
        )
        training = UnitTraining(
            unit_settings,
            unit,
            stopping,
            patches,
            self.validation,
            self.run.work,
            progress=self.progress,
            log=self.run.append_log,
            replicas=self.replicas,
        )
        if training.resume():
            self.talk(f"{stage}: goes on after step {training.step}")
        return training
