"""`pdenet-durr train denoise` and `train dejpeg`: a blind restorer from a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, Threads, print_json

if TYPE_CHECKING:
    from durr.training.run import TrainSettings

Data = Annotated[list[Path], typer.Argument(help="Clean images, or folders of them.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; a new one in runs by default.")]
Steps = Annotated[int, typer.Option("--steps", min=1, help="Updates of the restoration unit.")]
Channels = Annotated[int, typer.Option("--channels", min=1, max=3, help="1 for grey, 3 for colour.")]
Val = Annotated[
    list[Path] | None,
    typer.Option("--val", help="Images to validate on; by default every 20th of DATA is kept apart."),
]
Scheme = Annotated[str, typer.Option("--scheme", help="How a step is taken: euler, lm, heun or rk4.")]
BatchSize = Annotated[int, typer.Option("--batch", min=1, help="Patches of an update.")]
Patch = Annotated[int, typer.Option("--patch", min=8, help="Rows and columns of a patch, a multiple of 4.")]
LearningRate = Annotated[float, typer.Option("--lr", min=0, help="Full learning rate of Muon.")]
SaveEvery = Annotated[float, typer.Option("--save-every", min=0, help="Seconds between two checkpoints.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a finished run folder.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the stopped or killed run in --out.")]


def train_denoise(
    data: Data,
    out: Out = None,
    steps: Steps = 20000,
    channels: Channels = 1,
    val: Val = None,
    sigma_max: Annotated[
        float, typer.Option("--sigma-max", min=1, max=255, help="Noise levels are drawn from 0 to this, of 255.")
    ] = 55.0,
    scheme: Scheme = "euler",
    batch: BatchSize = 24,
    patch: Patch = 64,
    learning_rate: LearningRate = 0.01,
    save_every: SaveEvery = 120.0,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Train a blind denoiser on clean images; noise is made on the fly."""
    from backbone.device import resolve_device
    from durr.degradation.noise import GaussianNoise
    from durr.training.run import TrainSettings

    settings = TrainSettings(
        degradation=GaussianNoise(sigma_max),
        scheme=scheme,
        data=tuple(data),
        val=tuple(val or ()),
        channels=channels,
        n_steps=steps,
        batch=batch,
        patch=patch,
        learning_rate=learning_rate,
        seed=seed,
        device=resolve_device(device),
        save_every_s=save_every,
    )
    _train(settings, out, overwrite=overwrite, resume=resume, json=json, threads=threads, quiet=quiet)


def train_dejpeg(
    data: Data,
    out: Out = None,
    steps: Steps = 20000,
    channels: Channels = 1,
    val: Val = None,
    quality_min: Annotated[int, typer.Option("--quality-min", min=1, max=99, help="Lowest JPEG quality.")] = 5,
    quality_max: Annotated[int, typer.Option("--quality-max", min=1, max=99, help="Highest JPEG quality.")] = 95,
    scheme: Scheme = "euler",
    batch: BatchSize = 24,
    patch: Patch = 64,
    learning_rate: LearningRate = 0.01,
    save_every: SaveEvery = 120.0,
    overwrite: Overwrite = False,
    resume: Resume = False,
    json: Json = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Train a restorer of JPEG pictures on clean images; they are compressed on the fly, at any quality."""
    from backbone.device import resolve_device
    from durr.degradation.jpeg import JpegCompression
    from durr.training.run import TrainSettings

    settings = TrainSettings(
        degradation=JpegCompression(quality_min, quality_max),
        scheme=scheme,
        data=tuple(data),
        val=tuple(val or ()),
        channels=channels,
        n_steps=steps,
        batch=batch,
        patch=patch,
        learning_rate=learning_rate,
        seed=seed,
        device=resolve_device(device),
        save_every_s=save_every,
    )
    _train(settings, out, overwrite=overwrite, resume=resume, json=json, threads=threads, quiet=quiet)


def _train(
    settings: TrainSettings, out: Path | None, *, overwrite: bool, resume: bool, json: bool, threads: int, quiet: bool
) -> None:
    from dataclasses import replace

    from backbone.data_parallel import replicas_of_torchrun
    from backbone.device import keep_freed_memory, set_threads
    from durr.training.run import train_restorer

    set_threads(threads)
    keep_freed_memory()
    with replicas_of_torchrun(settings.device) as replicas:
        talk = Talk(quiet=quiet or not replicas.first)
        summary = train_restorer(
            replace(settings, device=replicas.device),
            out=out,
            overwrite=overwrite,
            resume=resume,
            talk=talk.note,
            progress=talk.progress,
            replicas=replicas,
        )
        if not replicas.first:
            return
    talk.note(f"run: {summary['run']}")
    if json:
        print_json(summary)
