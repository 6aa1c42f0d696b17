"""`pdenet-durr denoise`: picture files without their noise, at any noise level."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from backbone.commands.shell import Config, Debug, Device, Json, Quiet, Talk, Threads, print_json
from backbone.errors import Failure, UsageError

if TYPE_CHECKING:
    from durr.batch.run import Settings
    from durr.images.naming import Existing, Plan
    from durr.restorer import Restorer

AUTO, STDOUT = "auto", "-"


def denoise(
    inputs: Annotated[list[str], typer.Argument(metavar="IN...", help="Pictures, folders, patterns, or - for stdin.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="OUT", help="A file, a folder, or - for stdout.")
    ] = None,
    strength: Annotated[
        float | None, typer.Option("--strength", help="0 changes nothing, 1 is the model's choice, up to 2.")
    ] = None,
    sigma: Annotated[
        str, typer.Option("--sigma", help="Noise on the scale of 0 to 255; auto lets the model see it.")
    ] = "auto",
    sweep: Annotated[
        int | None, typer.Option("--sweep", min=2, max=20, help="Write N strengths up to 2, from one pass.")
    ] = None,
    tile: Annotated[str, typer.Option("--tile", help="Side of the tiles of large pictures, or auto.")] = "auto",
    precision: Annotated[str, typer.Option("--precision", help="auto, float32 or bfloat16.")] = "auto",
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble/--no-ensemble",
            help="Mean over the eight turned and mirrored forms: about 0.1 dB better, eight times slower.",
        ),
    ] = False,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Folders with their sub-folders.")
    ] = False,
    suffix: Annotated[
        str | None, typer.Option("--suffix", help="Behind the names of outputs; _denoised beside the inputs.")
    ] = None,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing/--no-skip-existing", help="Leave outputs that exist.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite/--no-overwrite", help="Replace outputs that exist.")] = False,
    format: Annotated[str, typer.Option("--format", help="keep, png, jpeg, tiff, webp or bmp.")] = "keep",  # noqa: A002
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write a PNG of before, after and difference side by side.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write one JSON record a file, a line each.")] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="A model of your own; the one shipped by default.")
    ] = None,
    max_pixels: Annotated[
        int | None, typer.Option("--max-pixels", min=1, help="Refuse larger pictures; 200 million by default.")
    ] = None,
    axes: Annotated[
        str, typer.Option("--axes", help="Of TIFF files with pages, as TYX or ZYX: each page is restored on its own.")
    ] = "YX",
    json: Json = False,
    device: Device = "auto",
    threads: Threads = 0,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Config = None,
) -> int:
    """Remove noise from pictures; how strong it is the model sees itself."""
    from backbone.device import set_threads
    from durr.batch.report import check_free, exit_code, report_file, totals
    from durr.batch.run import Settings
    from durr.images import plan
    from durr.images.reader import MAX_PIXELS

    strengths = _strengths(strength, sweep)
    level, side = _level(sigma), _side(tile)
    stack = _has_pages(axes)
    batch = plan(
        inputs,
        output=output,
        suffix=suffix,
        format=format,
        recursive=recursive,
        existing=_existing(skip_existing, overwrite),
        marks=tuple(strengths),
    )
    if json and any(str(pair.target) == STDOUT for pair in batch):
        raise UsageError("picture and document both want stdout", where="--json -o -", cure="--report FILE")
    check_free(sheet, "--sheet", overwrite=overwrite)
    check_free(report, "--report", overwrite=overwrite)
    set_threads(threads)
    restorer = _load(weights, device, precision, side, ensemble)
    settings = Settings(
        strengths=strengths,
        sigma=level,
        format=format,
        max_pixels=max_pixels or MAX_PIXELS,
        overwrite=overwrite,
        stack=stack,
    )
    with report_file(report) as lines:
        records = _restore(restorer, batch, settings, _Told(Talk(quiet=quiet), lines, sheet, overwrite, debug))
    if json:
        print_json({"files": records, "totals": totals(records)})
    return exit_code(records)


class _Told(NamedTuple):
    """Where the user is told about the files."""

    talk: Talk
    report: IO[str] | None
    sheet: Path | None
    overwrite: bool
    debug: bool


def _restore(restorer: Restorer, batch: Plan, settings: Settings, told: _Told) -> list[dict[str, Any]]:
    """Restore the files of a plan, tell about each, and give their records. The failure of a single file is raised."""
    from durr.batch.report import line, progress_of, record, skipped_record, totals_line, write_record
    from durr.batch.run import Failed, restore_files
    from durr.batch.sheet import Sheet
    from durr.images.writer import write_content

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
            if told.sheet is not None:
                sheet.add(file)
    finally:  # after Ctrl+C too: what is written is whole, and --skip-existing goes on from here
        if n_files != 1 or batch.skipped:
            told.talk.note(totals_line(records))
    if told.sheet is not None and sheet:
        write_content(told.sheet, sheet.encode(), overwrite=told.overwrite)
        told.talk.note(f"wrote {told.sheet}" + (f", without {sheet.left_out} more rows" if sheet.left_out else ""))
    return records


def _tell_failure(told: _Told, failure: Failure) -> None:
    """An error is told although --quiet is."""
    if told.debug:
        traceback.print_exception(failure)
    if told.talk.quiet:
        print(failure, file=sys.stderr)
    else:
        told.talk.note(str(failure))


def _load(weights: Path | None, device: str, precision: str, side: int | None, ensemble: bool) -> Restorer:
    """The model of --weights, or the one that is shipped."""
    from durr.restorer import Restorer

    if weights is None:
        return Restorer.pretrained("denoise", device=device, precision=precision, tile=side, ensemble=ensemble)
    return Restorer.from_file(weights, device=device, precision=precision, tile=side, ensemble=ensemble)


def _strengths(strength: float | None, sweep: int | None) -> dict[str, float]:
    """Strengths by the mark in the name of their output: none for a single one."""
    from durr.restoration.strength import STRONGEST, check_strength

    if sweep is None:
        check_strength(1.0 if strength is None else strength)
        return {"": 1.0 if strength is None else strength}
    if strength is not None:
        raise UsageError("--sweep takes strengths of its own", where="--strength --sweep", cure=f"--sweep {sweep}")
    return {f"_s{STRONGEST * k / sweep:.2f}": STRONGEST * k / sweep for k in range(1, sweep + 1)}


def _level(sigma: str) -> float | None:
    """The noise of --sigma, None for auto."""
    from durr.restoration.strength import check_sigma

    if sigma == AUTO:
        return None
    try:
        level = float(sigma)
    except ValueError as error:
        raise UsageError(f"'{sigma}' is no number", where=f"--sigma {sigma}", cure="--sigma auto") from error
    check_sigma(level)
    return level


def _side(tile: str) -> int | None:
    """The pixels of --tile, None for auto; the restorer says how few are too few."""
    if tile == AUTO:
        return None
    try:
        return int(tile)
    except ValueError as error:
        raise UsageError(f"'{tile}' is no whole number", where=f"--tile {tile}", cure="--tile auto") from error


def _has_pages(axes: str) -> bool:
    """Whether --axes names axes of pages (time, depth, channels or any) before rows, columns and colours."""
    if not re.fullmatch(r"[TZCQI]*YX[CS]?", axes.upper()):
        raise UsageError(f"'{axes}' are no axes of pictures", where=f"--axes {axes}", cure="--axes TYX")
    return not axes.upper().startswith("Y")


def _existing(skip: bool, overwrite: bool) -> Existing:
    """What to do with outputs that exist."""
    if skip and overwrite:
        raise UsageError("to skip or to replace?", where="--skip-existing --overwrite", cure="leave out one of them")
    return "skip" if skip else "overwrite" if overwrite else "refuse"
