"""The Python door to restoration: arrays in, arrays of the same type and shape out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from jaxtyping import Float32, Num

from backbone.device import resolve_device
from backbone.errors import ModelError, UsageError
from durr.jpeg.compression import Compression
from durr.jpeg.constraint import Constraint
from durr.model import RestorationModel, Task
from durr.restoration.arrays import Split, split
from durr.restoration.diagnosis import Diagnosis, diagnose_jpeg, diagnose_noise
from durr.restoration.inference import Inference, resolve_precision
from durr.restoration.noise_map import StepMap
from durr.restoration.restore import Restoration, restore
from durr.restoration.strength import check_quality, check_sigma, check_strengths
from durr.restoration.tiles import SMALLEST_SIDE

WEIGHTS = Path(__file__).parent / "weights"
SHIPPED = {task: (f"{task}_grey.safetensors", f"{task}_colour.safetensors") for task in get_args(Task)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Restored:
    """A restored image and how it came about.

    image: in the type and shape of the input. steps: where on the path it stands; chosen: where strength 1 stands.
    unfolded: the path as the model made it; None for large images, whose path is never in memory as a whole. sigma: of
    a denoiser, the noise on the scale of 0 ... 255, as given or as estimated. times: of the pixels where strength is 1,
    if a map of the noise was asked for and found. compression: of dejpeg, what is known of it; constraint: what its
    repair was held to. tiles: how many; smaller: how often they were made smaller after the memory ran out. float32:
    how many batches were done again because bfloat16 overflowed. notes: what the
    user should know.
    """

    image: Num[np.ndarray, " row col *channel"]
    steps: float
    chosen: float
    unfolded: Float32[np.ndarray, "saved row col channel"] | None
    sigma: float | None = None
    times: StepMap | None = None
    compression: Compression | None = None
    constraint: Constraint | None = None
    tiles: int = 1
    smaller: int = 0
    float32: int = 0
    notes: tuple[str, ...] = ()

    @cached_property
    def path(self) -> Float32[np.ndarray, " saved row col *colour"] | None:
        """The images after 0, 1, 2, ... steps without alpha, where samples are in [0, 1]; None for large images."""
        if self.unfolded is None:
            return None
        path = self.unfolded if self.constraint is None else self.constraint.held_path(self.unfolded)
        return path.reshape(-1, *path.shape[1 : 1 + self.image.ndim])


@dataclass(frozen=True, kw_only=True, eq=False)
class Restorer:
    """Removes noise, or what JPEG leaves, from images. Made by `pretrained` or `from_file`.

    models: one, or one for each number of channels. tile: side of the tiles in pixels, None for as memory allows.
    ensemble: average over the eight turned and mirrored forms of an image, for a little quality and eight times the
    time.
    """

    models: tuple[RestorationModel, ...]
    device: torch.device
    precision: torch.dtype
    tile: int | None = None
    ensemble: bool = False

    @classmethod
    def pretrained(
        cls,
        task: str = "denoise",
        *,
        device: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        ensemble: bool = False,
    ) -> Restorer:
        """The models that come with the package, grey and colour.

        device: auto, cpu, cuda or cuda:N. precision: auto, float32 or bfloat16 inside the convolutions.
        Raises UsageError for other words, ModelError if the files are missing or damaged.
        """
        if task not in SHIPPED:
            raise UsageError(f"'{task}' is no task", where="Restorer.pretrained", cure=f"one of {', '.join(SHIPPED)}")
        files = [WEIGHTS / name for name in SHIPPED[task]]
        missing = [file for file in files if not file.exists()]
        if missing:
            raise ModelError(
                "the weights of this package are missing",
                where=str(missing[0]),
                cure="pip install --force-reinstall pdenet-durr",
            )
        return cls._load(files, task, device, precision, tile, ensemble)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        task: str | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
        ensemble: bool = False,
    ) -> Restorer:
        """A model of one's own, as `train denoise` and `train dejpeg` write it; errors as for `pretrained`.

        task: what it must be for, denoise or dejpeg; None takes it as it is.
        """
        return cls._load([Path(path)], task, device, precision, tile, ensemble)

    @classmethod
    def _load(
        cls,
        files: Sequence[Path],
        task: str | None,
        device: str,
        precision: str,
        tile: int | None,
        ensemble: bool,
    ) -> Restorer:
        place = resolve_device(device)
        number = resolve_precision(precision, place)
        if tile is not None and tile < SMALLEST_SIDE:
            raise UsageError(f"tiles of {tile} pixels", where=f"--tile {tile}", cure=f"--tile auto or {SMALLEST_SIDE}")
        models = tuple(RestorationModel.load(file, place, task) for file in files)
        return cls(models=models, device=place, precision=number, tile=tile, ensemble=ensemble)

    def __call__(
        self,
        image: np.ndarray,
        strength: float = 1.0,
        sigma: float | None = None,
        *,
        quality: int | None = None,
        table: Sequence[int] = (),
        noise_map: bool = False,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Restored:
        """Restore an image: H x W, H x W x 3 or H x W x 4 (alpha stays), uint8, uint16 or floats around [0, 1].

        strength: 0 gives the same samples, 1 the model's own choice, up to 2 goes on along its path.
        sigma: of a denoiser, the noise on the scale of 0 ... 255; quality: of dejpeg, that of the JPEG, 1 ... 100. Both
        set the number of steps; by default the model sees for itself. table: the quantisation steps of a JPEG's luma,
        row by row, if its file is there. noise_map: of a denoiser, whether every pixel stops where the noise around it
        asks for it.
        progress: is told the share that is done.
        Raises UsageError for other types, shapes and values, InputError for samples that are not finite.
        """
        return self.sweep(
            image, (strength,), sigma, quality=quality, table=table, noise_map=noise_map, progress=progress
        )[0]

    def sweep(
        self,
        image: np.ndarray,
        strengths: Sequence[float],
        sigma: float | None = None,
        *,
        quality: int | None = None,
        table: Sequence[int] = (),
        noise_map: bool = False,
        progress: Callable[[float], None] = lambda share: None,
    ) -> list[Restored]:
        """The image at several strengths, from one pass."""
        check_strengths(strengths)
        parts = split(image)
        model = self.model_for(parts.samples.shape[2])
        inference = Inference(model=model, device=self.device, precision=self.precision, ensemble=self.ensemble)
        diagnosis = self._diagnosis(parts.samples, model, sigma, quality, table, noise_map)
        done = restore(
            inference,
            parts.samples,
            strengths,
            level=diagnosis.level,
            before=diagnosis.before,
            local=noise_map,
            side=self.tile,
            progress=progress,
        )
        notes = diagnosis.warnings + _notes(inference, parts.samples.shape[2], done) + _told_of_map(done, noise_map)
        return [_restored(parts, place, done, diagnosis, inference.redone, notes) for place in done.positions]

    @property
    def task(self) -> Task:
        """What the models are for."""
        return self.models[0].task

    def _diagnosis(
        self,
        samples: Num[np.ndarray, "row col channel"],
        model: RestorationModel,
        sigma: float | None,
        quality: int | None,
        table: Sequence[int],
        noise_map: bool,
    ) -> Diagnosis:
        """What is found out about a picture. Raises UsageError for a level that is told to the wrong model."""
        check_sigma(sigma)
        check_quality(quality)
        if self.task == "dejpeg" and noise_map:
            raise UsageError("a model of dejpeg knows no noise", where="noise_map", cure="leave it out")
        if self.task == "denoise" and quality is not None:
            raise UsageError("a denoiser is told no quality", where="quality", cure="leave it out, or give sigma")
        if self.task == "dejpeg" and sigma is not None:
            raise UsageError("a model of dejpeg is told no noise", where="sigma", cure="leave it out, or give quality")
        if self.task == "denoise":
            return diagnose_noise(samples, model, sigma)
        return diagnose_jpeg(samples, model, quality, table)

    def model_for(self, channels: int) -> RestorationModel:
        """The model of this number of channels if there is one, else the first."""
        return next((known for known in self.models if known.unit.channels == channels), self.models[0])


def _restored(
    parts: Split, place: float, done: Restoration, diagnosis: Diagnosis, redone: int, notes: tuple[str, ...]
) -> Restored:
    """The image at one place of its path."""
    constraint = diagnosis.constraint
    picture = done.pictures.get(place)
    if picture is not None and constraint is not None:
        picture = constraint.held(picture)
    return Restored(
        image=parts.image.copy() if picture is None else parts.joined(picture),
        steps=place,
        chosen=done.chosen,
        unfolded=done.path,
        sigma=diagnosis.sigma,
        times=done.local,
        compression=diagnosis.compression,
        constraint=constraint,
        tiles=done.tiles,
        smaller=done.smaller,
        float32=redone,
        notes=notes,
    )


def _notes(inference: Inference, channels: int, done: Restoration) -> tuple[str, ...]:
    """What the user should know about how a picture was restored."""
    model = inference.model.unit.channels
    notes = {
        "grey model: the channels are restored one by one": model == 1 and channels == 3,
        "colour model: the grey picture is taken as three equal channels": model == 3 and channels == 1,
        f"tiles were made smaller {done.smaller} times: the memory ran out": done.smaller > 0,
        f"{inference.redone} times done again in float32: bfloat16 overflowed": inference.redone > 0,
    }
    return tuple(note for note, holds in notes.items() if holds)


def _told_of_map(done: Restoration, asked: bool) -> tuple[str, ...]:
    """What a map of the noise found, if it was asked for."""
    if done.local is None:
        return ("the noise is of one strength, or the picture too small to tell: no map of it",) if asked else ()
    (weak, strong), (few, many) = done.local.levels, done.local.extremes(done.chosen)
    return (f"noise from {255 * weak:.0f} to {255 * strong:.0f} over the picture: {few:.1f} to {many:.1f} steps",)
