"""`pdenet-durr bench denoise`: PSNR, SSIM, steps and seconds beside the baselines, by a protocol others can repeat."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Talk, print_json
from backbone.errors import UsageError

SIGMAS = "15,25,35,45,50,55,65,75,95"


def bench_denoise(
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder of clean pictures; repeat it for more. Else scikit-image's samples."),
    ] = None,
    sigmas: Annotated[str, typer.Option("--sigmas", help="Levels of noise on the scale 0..255.")] = SIGMAS,
    eight_bit: Annotated[
        bool, typer.Option("--8bit/--float", help="Noisy and restored pictures as 8-bit files hold them, or as drawn.")
    ] = False,
    methods: Annotated[
        str | None, typer.Option("--methods", help="As ours,noisy,tv,tv-blind; baselines are told sigma by default.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A model.safetensors of train denoise; else those shipped.")
    ] = None,
    images: Annotated[int | None, typer.Option("--images", min=1, help="The first so many pictures only.")] = None,
    colour: Annotated[
        bool | None, typer.Option("--colour/--grey", help="Colour or luma; by default as the pictures are.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="JSON file; results are merged into it as they come.")
    ] = Path("benchmarks/results/denoise.json"),
    figure: Annotated[
        Path | None, typer.Option("--figure", help="PNG of steps against noise for the first set of pictures.")
    ] = None,
    json: Json = False,
    device: Device = "cpu",
    precision: Annotated[str, typer.Option("--precision", help="Of our method: auto, float32 or bfloat16.")] = "auto",
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads of every method.")] = 1,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> int:
    """Measure how well noise is removed, by this program and by others, on pictures whose clean form is known."""
    from backbone.device import resolve_device, set_threads
    from backbone.record import Record
    from durr.benchmark.methods import ENSEMBLE, OURS, choose_methods
    from durr.benchmark.ours import load_restorer
    from durr.benchmark.picture_set import choose_sets
    from durr.benchmark.policy import compare_policy
    from durr.benchmark.protocol import Protocol
    from durr.benchmark.run import PACKAGES, Settings, Talkers, check_sets, row_name, run_sets
    from durr.benchmark.summary import table_lines
    from durr.plots import stopping_figure

    levels = _levels(sigmas)
    chosen = choose_methods(None if methods is None else methods.split(","))
    conditions = {"device": str(resolve_device(device)), "threads": threads}
    set_threads(threads)
    talk = Talk(quiet=quiet)
    restorer = load_restorer(weights, device=device, precision=precision) if {OURS, ENSEMBLE} & set(chosen) else None
    sets = choose_sets(data or [], limit=images, colour=colour, note=talk.note)
    settings = Settings(
        protocol=Protocol(eight_bit),
        sigmas=levels,
        methods=chosen,
        conditions=conditions,
        restorer=restorer,
        weights=weights,
    )
    record = Record(out, "denoise", PACKAGES)
    check_sets(sets, settings, record)
    good = run_sets(sets, settings, record, Talkers(talk.note, talk.progress))
    by_set = [record.rows([row_name(one, settings.protocol, sigma) for sigma in levels]) for one in sets]
    if figure is not None and by_set[0]:
        stopping_figure(list(by_set[0].values()), figure)
        talk.note(f"wrote {figure}")
    rows = {name: row for found in by_set for name, row in found.items()}
    if json:
        policy = {one.title: compare_policy(list(found.values())) for one, found in zip(sets, by_set, strict=True)}
        print_json({"suite": "denoise", "rows": rows, "policy": policy, "file": str(out)})
    else:
        print("\n".join(table_lines(rows)))
    return 0 if good else 1


def _levels(text: str) -> tuple[float, ...]:
    """The levels of noise of a list, each once."""
    levels = []
    for word in text.split(","):
        try:
            level = float(word)
        except ValueError:
            level = math.nan
        if not 0 <= level < math.inf:
            raise UsageError(f"'{word}' is no level of noise", where=f"--sigmas {text}", cure=f"--sigmas {SIGMAS}")
        levels.append(level)
    return tuple(dict.fromkeys(levels))
