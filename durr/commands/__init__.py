"""Commands on images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import typer

from backbone.commands import shell
from durr.commands.bench import bench_dejpeg, bench_denoise, bench_restore
from durr.commands.dejpeg import dejpeg
from durr.commands.denoise import denoise
from durr.commands.train import train_dejpeg, train_denoise

COMMANDS: dict[str, Callable[..., Any]] = {
    "denoise": denoise,
    "dejpeg": dejpeg,
    "bench denoise": bench_denoise,
    "bench dejpeg": bench_dejpeg,
    "bench restore": bench_restore,
    "train denoise": train_denoise,
    "train dejpeg": train_dejpeg,
}


def register(app: typer.Typer) -> None:
    """Add this room's commands to the application."""
    shell.register(app, COMMANDS)


def checkables() -> Mapping[str, Any]:
    """What of this room `backbone check` checks, by name."""
    from durr.checks import CHECKABLES

    return CHECKABLES
