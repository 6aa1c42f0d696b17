"""`pdenet-durr bench pde`: known equations found again, beside the peers, with seconds and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backbone.commands.shell import Config, Debug, Json, Quiet, Seed, Talk, print_json


def bench_pde(
    rows: Annotated[str | None, typer.Option("--rows", help="Rows of the table, as heat,kdv; all by default.")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds of each noisy row.")] = 5,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of PDE-FIND's burgers.mat and kdv.mat; else these are skipped."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="JSON file; results are merged into it as they come.")
    ] = Path("benchmarks/results/pde.json"),
    peers: Annotated[bool, typer.Option("--peers/--no-peers", help="Run PySINDy on the same data.")] = True,
    json: Json = False,
    seed: Seed = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> int:
    """Measure how well known equations are found again, by this program and by PySINDy."""
    from backbone.record import Record
    from pdenet.benchmark.peers import check_peers
    from pdenet.benchmark.rows import choose_rows
    from pdenet.benchmark.run import PACKAGES, Settings, run_rows
    from pdenet.benchmark.summary import table_lines

    chosen = choose_rows(None if rows is None else rows.split(","))
    if peers:
        check_peers()
    talk = Talk(quiet=quiet)
    record = Record(out, "pde", PACKAGES)
    settings = Settings(seed=seed, seeds=seeds, folder=data, peers=peers)
    good = run_rows(chosen, settings, record, talk.note)
    found = record.rows([row.name for row in chosen])
    if json:
        print_json({"suite": "pde", "rows": found, "file": str(out)})
    else:
        print("\n".join(table_lines(found)))
    return 0 if good else 1
