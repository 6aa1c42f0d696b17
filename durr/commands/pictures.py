"""A batch of picture files through one repair: from the options to the exit code.

Imported by commands when they run: what is imported here takes seconds.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from io import RawIOBase
from typing import Any, NamedTuple

from backbone.commands.shell import Talk, print_json
from backbone.device import set_threads
from backbone.errors import Failure, UsageError
from durr.batch.repair import Repair
from durr.batch.report import (
    check_free,
    exit_code,
    line,
    progress_of,
    record,
    report_file,
    skipped_record,
    totals,
    totals_line,
    write_record,
)
from durr.batch.run import Failed, Settings, restore_files
from durr.batch.sheet import Sheet
from durr.commands.picture_options import PictureOptions
from durr.images import plan
from durr.images.inputs import STDOUT
from durr.images.naming import Plan
from durr.images.reader import MAX_PIXELS
from durr.images.writer import write_content
from durr.restorer import Restorer


class _Told(NamedTuple):
    """Where the user is told about the files."""

    talk: Talk
    report: RawIOBase | None
    options: PictureOptions


def restore_pictures(inputs: Sequence[str], repair: Repair, options: PictureOptions) -> int:
    """Repair the pictures that the words of a command line stand for; the exit code."""
    strengths, side, stack = options.strengths, options.side, options.stack
    word = options.format or repair.format_for(options.output)
    batch = plan(
        inputs,
        output=options.output,
        suffix=options.suffix,
        ending=repair.suffix,
        format=word,
        recursive=options.recursive,
        existing=options.existing,
        marks=tuple(strengths),
    )
    if options.json and any(pair.target == STDOUT for pair in batch):
        raise UsageError("picture and document both want stdout", where="--json -o -", cure="--report FILE")
    check_free(options.sheet, "--sheet", overwrite=options.overwrite)
    check_free(options.report, "--report", overwrite=options.overwrite)
    set_threads(options.threads)
    restorer = _load(options, repair.task, side)
    settings = Settings(
        repair=repair,
        strengths=strengths,
        format=word,
        max_pixels=options.max_pixels or MAX_PIXELS,
        overwrite=options.overwrite,
        stack=stack,
        proved=options.report is not None,
    )
    with report_file(options.report) as lines:
        records = _restore(restorer, batch, settings, _Told(Talk(quiet=options.quiet), lines, options))
    if options.json:
        print_json({"files": records, "totals": totals(records)})
    return exit_code(records)


def _load(options: PictureOptions, task: str, side: int | None) -> Restorer:
    """The model of --weights, or the one that is shipped."""
    if options.weights is None:
        return Restorer.pretrained(
            task, device=options.device, precision=options.precision, tile=side, ensemble=options.ensemble
        )
    return Restorer.from_file(
        options.weights, task, device=options.device, precision=options.precision, tile=side, ensemble=options.ensemble
    )


def _restore(restorer: Restorer, batch: Plan, settings: Settings, told: _Told) -> list[dict[str, Any]]:
    """Restore the files of a plan, tell about each, and give their records. The failure of a single file is raised."""
    records = [skipped_record(pair) for pair in batch.skipped]
    sheet = Sheet()
    n_files = len({pair.source for pair in batch})
    try:
        for file in restore_files(restorer, batch.pairs, settings, progress_of(n_files, told.talk.progress)):
            records.append(record(file))
            write_record(told.report, records[-1])
            if isinstance(file, Failed):
                if n_files == 1:
                    raise file.failure
                _tell_failure(told, file.failure)
                continue
            for text in (line(file), *(f"  note: {note}" for note in file.notes)):
                told.talk.note(text)
            if told.options.sheet is not None:
                sheet.add(file)
    finally:  # after Ctrl+C too: what is written is whole, and --skip-existing goes on from here
        if n_files != 1 or batch.skipped:
            told.talk.note(totals_line(records))
    _write_sheet(sheet, told)
    return records


def _write_sheet(sheet: Sheet, told: _Told) -> None:
    """The file of --sheet, if there is anything to show."""
    path = told.options.sheet
    if path is None or not sheet:
        return
    write_content(path, sheet.encode(), overwrite=told.options.overwrite)
    told.talk.note(f"wrote {path}" + (f", without {sheet.left_out} more rows" if sheet.left_out else ""))


def _tell_failure(told: _Told, failure: Failure) -> None:
    """An error is told although --quiet is."""
    if told.options.debug:
        traceback.print_exception(failure)
    if told.talk.quiet:
        print(failure, file=sys.stderr)
    else:
        told.talk.note(str(failure))
