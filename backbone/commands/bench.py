"""`pdenet-durr bench backbone`: experiments with networks and how they are trained, over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Seed, Talk, print_json
from backbone.errors import UsageError
from backbone.options import Options, spelt_out

PICTURES = (".png", ".svg", ".pdf")

Name = Annotated[str | None, typer.Argument(metavar="EXPERIMENT", help="Its name; without one, all are listed.")]


@dataclass(kw_only=True, eq=False)
class BenchOptions(Options):
    """What every experiment can be told."""

    data: Annotated[Path | None, typer.Option("--data", help="Folder of the data, where some are needed.")] = None
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="How many seeds, from --seed on.")] = 3
    out: Annotated[Path, typer.Option("--out", "-o", help="JSON file; results are merged into it as they come.")] = (
        Path("benchmarks/results/backbone.json")
    )
    picture: Annotated[Path | None, typer.Option("--figure", help="Also draw the result: PNG, SVG or PDF.")] = None
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting of the experiment, as epochs=3; repeat it for more.")
    ] = None
    anew: Annotated[bool, typer.Option("--anew", help="Measure again what is recorded.")] = False
    json: Json = False
    seed: Seed = 0
    device: Device = "cpu"
    threads: Annotated[int, typer.Option("--threads", min=1, help="CPU threads.")] = 1
    quiet: Quiet = False
    debug: Debug = False
    config: Config = None


@spelt_out
def bench_backbone(name: Name = None, *, options: BenchOptions) -> int:
    """Measure what a way to train or to solve a network is worth: mean and spread over seeds, beside its peers.

    What is recorded under the same settings is kept: a run that was stopped goes on where it was.
    """
    if name is None:
        _list(options.json)
    else:
        _measure(name, options)
    return 0


def _list(json: bool) -> None:
    """The experiments and their questions."""
    from backbone.experiments.catalogue import EXPERIMENTS

    questions = {known: kind.question for known, kind in sorted(EXPERIMENTS.items())}
    if json:
        print_json({"experiments": questions})
    else:
        print("\n".join(f"{known}: {question}" for known, question in questions.items()))


def _measure(name: str, options: BenchOptions) -> None:
    """Measure what is missing, then tell, record and draw everything."""
    from backbone.device import keep_freed_memory, resolve_device, set_threads
    from backbone.experiments.catalogue import experiment
    from backbone.experiments.plots import experiment_picture
    from backbone.experiments.run import PACKAGES, SUITE, run_experiment
    from backbone.experiments.summary import held_to, table_lines
    from backbone.record import Record

    chosen = experiment(name, options.settings or [])
    if options.picture is not None and options.picture.suffix not in PICTURES:
        raise UsageError(f"cannot draw {options.picture.name}", where="--figure", cure="--figure result.png")
    set_threads(options.threads)
    keep_freed_memory()
    record = Record(options.out, SUITE, PACKAGES)
    results = run_experiment(
        chosen,
        record,
        data=options.data,
        seeds=range(options.seed, options.seed + options.seeds),
        device=resolve_device(options.device),
        anew=options.anew,
        tell=Talk(quiet=options.quiet).note,
    )
    if options.picture is not None:
        experiment_picture(chosen, results, options.picture)
    row = record.document["rows"][name]
    if options.json:
        print_json({"experiment": name, **row, "bounds": held_to(chosen, results), "file": str(options.out)})
    else:
        print("\n".join(table_lines(chosen, results, row["note"])))
