"""The options that `denoise` and `dejpeg` share, in one list, and what their words mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Threads
from backbone.errors import UsageError
from backbone.options import Options

AUTO = "auto"

Inputs = Annotated[list[str], typer.Argument(metavar="IN...", help="Pictures, folders, patterns, or - for stdin.")]


@dataclass(kw_only=True, eq=False)
class PictureOptions(Options):
    """What every command on picture files can be told."""

    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="OUT", help="A file, a folder, or - for stdout.")
    ] = None
    strength: Annotated[
        float | None, typer.Option("--strength", help="0 changes nothing, 1 is the model's choice, up to 2.")
    ] = None
    sweep: Annotated[
        int | None, typer.Option("--sweep", min=2, max=20, help="Write N strengths up to 2, from one pass.")
    ] = None
    tile: Annotated[str, typer.Option("--tile", help="Side of the tiles of large pictures, or auto.")] = AUTO
    precision: Annotated[str, typer.Option("--precision", help="auto, float32 or bfloat16.")] = AUTO
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble/--no-ensemble",
            help="Mean over the eight turned and mirrored forms: about 0.1 dB better, eight times slower.",
        ),
    ] = False
    recursive: Annotated[bool, typer.Option("--recursive/--no-recursive", help="Folders with their sub-folders.")] = (
        False
    )
    suffix: Annotated[
        str | None, typer.Option("--suffix", help="Behind the names of outputs; _denoised or _restored by default.")
    ] = None
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing/--no-skip-existing", help="Leave outputs that exist.")
    ] = False
    overwrite: Annotated[bool, typer.Option("--overwrite/--no-overwrite", help="Replace outputs that exist.")] = False
    format: Annotated[
        str | None,
        typer.Option("--format", help="keep, png, jpeg, tiff, webp or bmp; denoise keeps it, dejpeg writes png."),
    ] = None
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write a PNG of before, after and difference side by side.")
    ] = None
    report: Annotated[Path | None, typer.Option("--report", help="Write one JSON record a file, a line each.")] = None
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A model of your own; the one shipped by default.")
    ] = None
    max_pixels: Annotated[
        int | None, typer.Option("--max-pixels", min=1, help="Refuse larger pictures; 200 million by default.")
    ] = None
    axes: Annotated[
        str, typer.Option("--axes", help="Of TIFF files with pages, as TYX or ZYX: each page is restored on its own.")
    ] = "YX"
    json: Json = False
    device: Device = AUTO
    threads: Threads = 0
    quiet: Quiet = False
    debug: Debug = False
    config: Config = None

    @property
    def strengths(self) -> dict[str, float]:
        """Strengths by the mark in the name of their output: none for a single one."""
        from durr.restoration.strength import STRONGEST, check_strength

        if self.sweep is None:
            strength = 1.0 if self.strength is None else self.strength
            check_strength(strength)
            return {"": strength}
        if self.strength is not None:
            raise UsageError(
                "--sweep takes strengths of its own", where="--strength --sweep", cure=f"--sweep {self.sweep}"
            )
        steps = [STRONGEST * k / self.sweep for k in range(1, self.sweep + 1)]
        return {f"_s{strength:.2f}": strength for strength in steps}

    @property
    def side(self) -> int | None:
        """The pixels of --tile, None for auto; the restorer says how few are too few."""
        if self.tile == AUTO:
            return None
        try:
            return int(self.tile)
        except ValueError as error:
            raise UsageError(
                f"'{self.tile}' is no whole number", where=f"--tile {self.tile}", cure="--tile auto"
            ) from error

    @property
    def stack(self) -> bool:
        """Whether --axes names axes of pages (time, depth, channels or any) before rows, columns and colours."""
        if not re.fullmatch(r"[TZCQI]*YX[CS]?", self.axes.upper()):
            raise UsageError(f"'{self.axes}' are no axes of pictures", where=f"--axes {self.axes}", cure="--axes TYX")
        return not self.axes.upper().startswith("Y")

    @property
    def existing(self) -> Literal["refuse", "skip", "overwrite"]:
        """What to do with outputs that exist."""
        if self.skip_existing and self.overwrite:
            raise UsageError(
                "to skip or to replace?", where="--skip-existing --overwrite", cure="leave out one of them"
            )
        return "skip" if self.skip_existing else "overwrite" if self.overwrite else "refuse"
