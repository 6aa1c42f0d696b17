"""The training of a denoiser, from folders of images to a run folder with a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from backbone.errors import InputError, UsageError
from backbone.precision import convolution_precision
from backbone.runs import RunFolder
from durr.degrade import LEVELS
from durr.images.inputs import every_picture
from durr.model import Denoiser, Level
from durr.stopping import FirstUpdate
from durr.training.card import model_card
from durr.training.first_update import fit_first_update, steps_by_level
from durr.training.patches import NoisyPatches
from durr.training.paths import record_paths
from durr.training.pictures import load_pictures
from durr.training.schedule import HandSet, longest_unfolding
from durr.training.unit_training import UnitSettings, UnitTraining
from durr.training.validation import Validation
from durr.unit import RestorationUnit

HELD_OUT = 20  # without --val, every 20th picture is for validation
SETTINGS, MODEL, CARD = "settings.json", "model.safetensors", "model.json"
LONGEST = 12  # steps of a path: far enough beyond every stopping time for strengths up to 2 at moderate noise
RULE_PATCH, RULE_BATCH, RULE_BATCHES = 128, 16, 24  # what the stopping rule is fitted on: 384 larger patches
RULE_SEED = 1  # patches that the unit has not seen in this cut
LEVELS_TOLD = 8  # intervals of noise for which the number of steps is kept, for --sigma

Talk = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Pictures:
    """8-bit pictures to train and to validate on; files: those of the training."""

    training: list[UInt8[np.ndarray, "_ _ channel"]]
    validating: list[UInt8[np.ndarray, "_ _ channel"]]
    files: list[Path]


@dataclass(frozen=True, kw_only=True)
class DenoiseSettings:
    """The options of `train denoise`; sigma_max on the scale of 255.

    Raises UsageError for channels or patches that no unit takes.
    """

    data: tuple[Path, ...]
    val: tuple[Path, ...]
    channels: int
    n_steps: int
    sigma_max: float
    batch: int
    patch: int
    learning_rate: float
    seed: int
    device: torch.device
    save_every_s: float

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise UsageError(f"{self.channels} channels", where="--channels", cure="--channels 1 or --channels 3")
        if self.patch % RestorationUnit.align:
            raise UsageError(
                f"a patch of {self.patch} cannot be folded",
                where="--patch",
                cure=f"--patch {self.patch + -self.patch % RestorationUnit.align}",
            )

    def as_dict(self) -> dict[str, Any]:
        """All that decides the weights but the number of steps, as plain values."""
        return {
            "data": [str(path) for path in self.data],
            "val": [str(path) for path in self.val],
            "channels": self.channels,
            "sigma_max": self.sigma_max,
            "batch": self.batch,
            "patch": self.patch,
            "learning_rate": self.learning_rate,
            "seed": self.seed,
        }


def train_denoiser(
    settings: DenoiseSettings, *, out: Path | None, overwrite: bool, resume: bool, talk: Talk, progress: Talk
) -> dict[str, Any]:
    """Train in a run folder, or go on in one; the model's card, with the folder as "run"."""
    if resume and out is None:
        raise UsageError("--resume needs the folder of the stopped run", where="--resume", cure="--resume --out DIR")
    pictures = pictures_of(settings, talk)
    with RunFolder.create("train-denoise", out, overwrite, resume=resume) as run:
        _agree(run, settings, resume)
        denoiser, figures = _trained(settings, pictures, run, talk, progress)
        denoiser.save(run.work / MODEL)
        card = model_card(
            denoiser,
            run.work / MODEL,
            settings={**settings.as_dict(), "steps": settings.n_steps},
            pictures=pictures.files,
            figures=figures,
        )
        run.write_json(CARD, card)
    return {"run": str(run.path), **card}


def _trained(
    settings: DenoiseSettings, pictures: Pictures, run: RunFolder, talk: Talk, progress: Talk
) -> tuple[Denoiser, dict[str, Any]]:
    """The model and what it reached on the validation pictures."""
    precision = convolution_precision(settings.device)
    patches = NoisyPatches(
        pictures.training,
        batch=settings.batch,
        size=settings.patch,
        sigma_max=settings.sigma_max / LEVELS,
        seed=settings.seed,
    )
    validation = Validation(pictures.validating, precision)
    unit = RestorationUnit(settings.channels, generator=torch.Generator().manual_seed(settings.seed))
    training = UnitTraining(
        UnitSettings(
            stage="unit",
            n_steps=settings.n_steps,
            learning_rate=settings.learning_rate,
            precision=precision,
            device=settings.device,
            save_every_s=settings.save_every_s,
        ),
        unit.to(settings.device),
        HandSet(settings.seed),
        patches,
        validation,
        run.work,
        progress=progress,
        log=run.append_log,
    )
    if training.resume():
        talk(f"goes on after step {training.step}")
    unit = training.run()
    talk("the stopping rule is fitted")
    rule, levels = _fitted_rule(unit, pictures, settings, precision)
    denoiser = Denoiser(
        unit=unit, rule=rule, max_steps=LONGEST, sigmas=(0.0, settings.sigma_max / LEVELS), levels=levels
    )
    return denoiser, {"validation_psnr": validation(unit)}


def _fitted_rule(
    unit: RestorationUnit, pictures: Pictures, settings: DenoiseSettings, precision: torch.dtype
) -> tuple[FirstUpdate, tuple[Level, ...]]:
    """The rule, and the steps it takes by level of noise; from pictures of the training."""
    sigma_max = settings.sigma_max / LEVELS
    size = min(RULE_PATCH, *(min(picture.shape[:2]) for picture in pictures.training))
    patches = NoisyPatches(
        pictures.training, batch=RULE_BATCH, size=size, sigma_max=sigma_max, seed=settings.seed + RULE_SEED
    )
    paths = record_paths(unit, patches, n_batches=RULE_BATCHES, max_steps=LONGEST, precision=precision)
    most = longest_unfolding(sigma_max)
    rule = fit_first_update(paths, most)
    edges = torch.linspace(0.0, sigma_max, LEVELS_TOLD + 1)
    return rule, (*steps_by_level(rule, paths, edges), (1.0, float(most)))


def pictures_of(settings: DenoiseSettings, talk: Talk) -> Pictures:
    """The pictures to train and to validate on; no file is in both. Raises InputError."""
    files = every_picture(settings.data)
    if settings.val:
        held_out = every_picture(settings.val)
        shared = {path.resolve() for path in files} & {path.resolve() for path in held_out}
        if shared:
            raise InputError(
                f"{len(shared)} files are in DATA and in --val", where=str(min(shared)), cure="keep them apart"
            )
    else:
        held_out = files[::HELD_OUT] if len(files) > 1 else files
        files = [path for path in files if path not in held_out] or files
    training = load_pictures(files, settings.channels, talk)
    validating = load_pictures(held_out, settings.channels, talk)
    talk(f"{len(training)} pictures to train on, {len(validating)} to validate on")
    return Pictures(training, validating, files)


def _agree(run: RunFolder, settings: DenoiseSettings, resume: bool) -> None:
    """Write the settings of a new run, or demand those of the run that goes on."""
    path = run.work / SETTINGS
    if resume and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        now = settings.as_dict()
        changed = [f"{key} was {before[key]}, is {now[key]}" for key in now if before[key] != now[key]]
        if changed:
            raise UsageError(
                f"the run was begun with other settings: {'; '.join(changed)}",
                where="--resume",
                cure="give the settings of before, or another --out without --resume",
            )
    run.write_json(SETTINGS, settings.as_dict())
