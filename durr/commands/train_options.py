"""The options that `train denoise` and `train dejpeg` share, in one list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Threads
from backbone.options import Options


@dataclass(kw_only=True, eq=False)
class TrainOptions(Options):
    """What every training of a restorer can be told."""

    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; a new one in runs by default.")] = None
    steps: Annotated[int, typer.Option("--steps", min=1, help="Updates of the restoration unit.")] = 20000
    channels: Annotated[int, typer.Option("--channels", min=1, max=3, help="1 for grey, 3 for colour.")] = 1
    val: Annotated[
        list[Path] | None,
        typer.Option("--val", help="Images to validate on; by default every 20th of DATA is kept apart."),
    ] = None
    scheme: Annotated[str, typer.Option("--scheme", help="How a step is taken: euler, lm, heun or rk4.")] = "euler"
    batch: Annotated[int, typer.Option("--batch", min=1, help="Patches of an update.")] = 24
    patch: Annotated[int, typer.Option("--patch", min=8, help="Rows and columns of a patch, a multiple of 4.")] = 64
    learning_rate: Annotated[float, typer.Option("--lr", min=0, help="Full learning rate of Muon.")] = 0.01
    save_every: Annotated[float, typer.Option("--save-every", min=0, help="Seconds between two checkpoints.")] = 120.0
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a finished run folder.")] = False
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the stopped or killed run in --out.")] = False
    json: Json = False
    seed: Seed = 0
    device: Device = "auto"
    threads: Threads = 0
    quiet: Quiet = False
    debug: Debug = False
    config: Config = None
