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
from durr.training.patches import NoisyPatches
from durr.training.pictures import load_pictures
from durr.training.unit_training import UnitSettings, UnitTraining
from durr.training.validation import Validation
from durr.unit import RestorationUnit

HELD_OUT = 20  # without --val, every 20th picture is for validation
SETTINGS = "settings.json"

Talk = Callable[[str], None]


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
    """Train in a run folder, or go on in one; the summary that `--json` prints."""
    if resume and out is None:
        raise UsageError("--resume needs the folder of the stopped run", where="--resume", cure="--resume --out DIR")
    training, validating = pictures_of(settings, talk)
    with RunFolder.create("train-denoise", out, overwrite, resume=resume) as run:
        _agree(run, settings, resume)
        precision = convolution_precision(settings.device)
        training_of_unit = UnitTraining(
            UnitSettings(
                channels=settings.channels,
                n_steps=settings.n_steps,
                learning_rate=settings.learning_rate,
                seed=settings.seed,
                precision=precision,
                device=settings.device,
                save_every_s=settings.save_every_s,
            ),
            NoisyPatches(
                training,
                batch=settings.batch,
                size=settings.patch,
                sigma_max=settings.sigma_max / LEVELS,
                seed=settings.seed,
            ),
            Validation(validating, precision),
            run.work,
            progress=progress,
            log=run.append_log,
        )
        if resume and training_of_unit.resume():
            talk(f"goes on after step {training_of_unit.step}")
        training_of_unit.run()
    return {"run": str(run.path), "steps": settings.n_steps}


def pictures_of(
    settings: DenoiseSettings, talk: Talk
) -> tuple[list[UInt8[np.ndarray, "_ _ channel"]], list[UInt8[np.ndarray, "_ _ channel"]]]:
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
    return training, validating


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
