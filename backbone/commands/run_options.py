"""The options that every training shares, in one list: its run folder, and how it is run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Threads
from backbone.options import Options


@dataclass(kw_only=True, eq=False)
class RunOptions(Options):
    """What every training can be told of its run."""

    out: Annotated[Path | None, typer.Option("--out", "-o", help="Run folder; a new one in runs by default.")] = None
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
