"""`pdenet-durr bench denoise`, `dejpeg` and `restore`: quality and seconds, by protocols others can repeat."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Json, print_json
from backbone.errors import InputError
from backbone.options import spelt_out
from durr.commands.bench_options import DEJPEG, DENOISE, BenchOptions, Out, grades

SIGMAS = "15,25,35,45,50,55,65,75,95"
QUALITIES = "10,20,30,40"


@spelt_out
def bench_denoise(
    *,
    sigmas: Annotated[str, typer.Option("--sigmas", help="Levels of noise on the scale 0..255.")] = SIGMAS,
    eight_bit: Annotated[
        bool, typer.Option("--8bit/--float", help="Noisy and restored pictures as 8-bit files hold them, or as drawn.")
    ] = False,
    colour: Annotated[
        bool | None, typer.Option("--colour/--grey", help="Colour or luma; by default as the pictures are.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="PNG of steps against noise for the first set of pictures.")
    ] = None,
    out: Out = DENOISE,
    options: BenchOptions,
) -> int:
    """Measure how well noise is removed, by this program and by others, on pictures whose clean form is known."""
    from durr.benchmark.noise_protocol import NoiseProtocol
    from durr.benchmark.picture_set import choose_sets
    from durr.commands.measuring import measure

    levels = grades(sigmas, "--sigmas", lowest=0.0, highest=math.inf, cure=SIGMAS)
    chosen = partial(choose_sets, options.data or [], limit=options.images, colour=colour)
    return measure(lambda note: chosen(note=note), NoiseProtocol(eight_bit), levels, options, out=out, figure=figure)


@spelt_out
def bench_dejpeg(
    *,
    qualities: Annotated[str, typer.Option("--qualities", help="Of the JPEG files, 1 to 99.")] = QUALITIES,
    colour: Annotated[bool | None, typer.Option("--colour/--luma", help="One of both; both by default.")] = None,
    out: Out = DEJPEG,
    options: BenchOptions,
) -> int:
    """Measure how well JPEG pictures are repaired, luma as papers do and colour as Pillow writes it (4:2:0)."""
    from durr.benchmark.jpeg_protocol import JpegProtocol, both_kinds
    from durr.benchmark.picture_set import choose_sets
    from durr.commands.measuring import measure

    levels = grades(qualities, "--qualities", lowest=1.0, highest=99.0, cure=QUALITIES)
    chosen = partial(choose_sets, options.data or [], limit=options.images, colour=None)
    return measure(lambda note: both_kinds(chosen(note=note), colour), JpegProtocol(), levels, options, out=out)


def bench_restore(
    denoise: Annotated[Path, typer.Option("--denoise", help="What bench denoise has recorded.")] = DENOISE,
    dejpeg: Annotated[Path, typer.Option("--dejpeg", help="What bench dejpeg has recorded.")] = DEJPEG,
    json: Json = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Print the tables of both tasks, as they were recorded last."""
    from backbone.record import Record
    from durr.benchmark.run import PACKAGES
    from durr.benchmark.summary import table_lines

    rows = {}
    for task, path in (("denoise", denoise), ("dejpeg", dejpeg)):
        if not path.exists():
            raise InputError(f"there is no '{path}'", where=f"--{task}", cure=f"pdenet-durr bench {task} --data FOLDER")
        rows[task] = Record(path, task, PACKAGES).document["rows"]
    if json:
        print_json(rows)
    else:
        print("\n\n".join("\n".join(table_lines(found)) for found in rows.values()))
