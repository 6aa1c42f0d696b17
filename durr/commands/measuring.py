"""A benchmark of restoration: from the options to the record, the tables and the exit code.

Imported by commands when they run: what is imported here takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backbone.commands.shell import Talk, print_json
from backbone.device import resolve_device, set_threads
from backbone.record import Record
from durr.benchmark.methods import ENSEMBLE, OURS, choose_methods
from durr.benchmark.ours import load_restorer
from durr.benchmark.picture_set import PictureSet
from durr.benchmark.policy import compare_policy
from durr.benchmark.protocol import Protocol
from durr.benchmark.run import PACKAGES, Settings, Talkers, check_sets, row_name, run_sets
from durr.benchmark.summary import table_lines
from durr.commands.bench_options import BenchOptions
from durr.plots import stopping_figure

Note = Callable[[str], None]


def measure(
    sets_of: Callable[[Note], Sequence[PictureSet]],
    protocol: Protocol,
    grades: Sequence[float],
    options: BenchOptions,
    *,
    out: Path,
    figure: Path | None = None,
) -> int:
    """Measure every set of pictures at every grade, record it in `out` as it comes, and print the tables.

    sets_of: reads the pictures once all words have been checked; it is given a place for a word to the user. figure:
    where a picture of the steps over the grades of the first set is written.
    """
    task = protocol.task
    chosen = choose_methods(None if options.methods is None else options.methods.split(","), task)
    conditions = {"device": str(resolve_device(options.device)), "threads": options.threads}
    set_threads(options.threads)
    talk = Talk(quiet=options.quiet)
    restorer = None
    if {OURS, ENSEMBLE} & set(chosen):
        restorer = load_restorer(options.weights, task, device=options.device, precision=options.precision)
    sets = sets_of(talk.note)
    settings = Settings(
        protocol=protocol,
        grades=tuple(grades),
        methods=chosen,
        conditions=conditions,
        restorer=restorer,
        weights=options.weights,
    )
    record = Record(out, task, PACKAGES)
    check_sets(sets, settings, record)
    good = run_sets(sets, settings, record, Talkers(talk.note, talk.progress))
    by_set = {one.title: record.rows([row_name(one, protocol, grade) for grade in grades]) for one in sets}
    if figure is not None:
        stopping_figure(list(by_set[sets[0].title].values()), figure)
        talk.note(f"wrote {figure}")
    _print(by_set, task, options, out)
    return 0 if good else 1


def _print(by_set: Mapping[str, Mapping[str, Any]], task: str, options: BenchOptions, out: Path) -> None:
    """The rows of every set: one document, or tables."""
    rows = {name: row for found in by_set.values() for name, row in found.items()}
    if options.json:
        policy = {title: compare_policy(list(found.values())) for title, found in by_set.items()}
        print_json({"suite": task, "rows": rows, "policy": policy, "file": str(out)})
    else:
        print("\n".join(table_lines(rows)))
