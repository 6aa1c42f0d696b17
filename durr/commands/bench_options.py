"""The options that benchmarks of restoration share, in one list, and how lists of grades are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet
from backbone.errors import UsageError
from backbone.options import Options

RESULTS = Path("benchmarks/results")
DENOISE, DEJPEG = RESULTS / "denoise.json", RESULTS / "dejpeg.json"

Out = Annotated[Path, typer.Option("--out", "-o", help="JSON file; results are merged into it as they come.")]


@dataclass(kw_only=True, eq=False)
class BenchOptions(Options):
    """What every benchmark of restoration can be told."""

    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder of clean pictures; repeat it for more. Else scikit-image's samples."),
    ] = None
    methods: Annotated[
        str | None, typer.Option("--methods", help="Some of them, by name, as ours,dncnn-b; a wrong one lists all.")
    ] = None
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A model.safetensors of your own; else those shipped.")
    ] = None
    images: Annotated[int | None, typer.Option("--images", min=1, help="The first so many pictures only.")] = None
    json: Json = False
    device: Device = "cpu"
    precision: Annotated[str, typer.Option("--precision", help="Of our method: auto, float32 or bfloat16.")] = "auto"
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads of every method.")] = 1
    quiet: Quiet = False
    debug: Debug = False
    config: Config = None


def grades(text: str, option: str, *, lowest: float, highest: float, cure: str) -> tuple[float, ...]:
    """The numbers of a list, each once. Raises UsageError for one that is none, or not between the bounds."""
    found = []
    for word in text.split(","):
        try:
            grade = float(word)
        except ValueError:
            grade = math.nan
        if not (lowest <= grade <= highest and math.isfinite(grade)):
            raise UsageError(f"'{word}' is not in {option}", where=f"{option} {text}", cure=f"{option} {cure}")
        found.append(grade)
    return tuple(dict.fromkeys(found))
