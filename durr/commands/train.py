"""`pdenet-durr train denoise`: a blind denoiser from a folder of images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, Threads, print_json


def train_denoise(
    data: Annotated[list[Path], typer.Argument(help="Clean images, or folders of them.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; a new one in runs by default.")] = None,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Updates of the restoration unit.")] = 20000,
    channels: Annotated[int, typer.Option("--channels", min=1, max=3, help="1 for grey, 3 for colour.")] = 1,
    val: Annotated[
        list[Path] | None,
        typer.Option("--val", help="Images to validate on; by default every 20th of DATA is kept apart."),
    ] = None,
    sigma_max: Annotated[
        float, typer.Option("--sigma-max", min=1, max=255, help="Noise levels are drawn from 0 to this, of 255.")
    ] = 55.0,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Patches of an update.")] = 24,
    patch: Annotated[int, typer.Option("--patch", min=8, help="Rows and columns of a patch, a multiple of 4.")] = 64,
    learning_rate: Annotated[float, typer.Option("--lr", min=0, help="Full learning rate of Muon.")] = 0.01,
    save_every: Annotated[float, typer.Option("--save-every", min=0, help="Seconds between two checkpoints.")] = 120.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a finished run folder.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the stopped or killed run in --out.")] = False,
    json: Json = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Train a blind denoiser on clean images; noise is made on the fly."""
    from backbone.device import keep_freed_memory, resolve_device, set_threads
    from durr.training.denoise import DenoiseSettings, train_denoiser

    settings = DenoiseSettings(
        data=tuple(data),
        val=tuple(val or ()),
        channels=channels,
        n_steps=steps,
        sigma_max=sigma_max,
        batch=batch,
        patch=patch,
        learning_rate=learning_rate,
        seed=seed,
        device=resolve_device(device),
        save_every_s=save_every,
    )
    set_threads(threads)
    keep_freed_memory()
    talk = Talk(quiet=quiet)
    summary = train_denoiser(
        settings, out=out, overwrite=overwrite, resume=resume, talk=talk.note, progress=talk.progress
    )
    talk.note(f"run: {summary['run']}")
    if json:
        print_json(summary)
