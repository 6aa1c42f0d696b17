"""The options that `train denoise` and `train dejpeg` share, in one list."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from backbone.options import Options


@dataclass(kw_only=True, eq=False)
class TrainOptions(Options):
    """What every training of a restorer can be told."""

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
