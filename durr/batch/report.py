"""What is told about a batch: a line and a record for each file, the totals, and the exit code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from statistics import fmean
from typing import Any

from backbone.errors import OutputError
from durr.batch.run import Done, Failed
from durr.images.calibration import calibration_of
from durr.images.naming import Pair

SOME_FAILED = 1  # exit code: the rest is done


def line(file: Done | Failed) -> str:
    """One file in one line for people: size, depth, what was found, steps, cost, outputs; a failure in three lines."""
    if isinstance(file, Failed):
        return str(file.failure)
    first = file.before[0]
    rows, columns = first.pixels.shape[:2]
    size = f"{columns} x {rows}" + _pages(file)
    steps = ", ".join(f"{taken:.3g}" for taken in file.steps)
    cost = f"{file.seconds / file.megapixels:.2f} s/MP"
    targets = ", ".join(map(str, file.targets))
    return f"{file.source}  {size}  {first.depth}  {file.found.words}  steps {steps}  {cost}  -> {targets}"


def _pages(file: Done) -> str:
    """How many pages, if several, with the axes that the file gives them."""
    known = calibration_of(file.before[0].metadata)
    axes = f" ({known.axes})" if known else ""
    return f" x {len(file.before)} pages{axes}" if len(file.before) > 1 else ""


def record(file: Done | Failed) -> dict[str, Any]:
    """The same for machines; sigma is on the scale of 0 ... 255."""
    if isinstance(file, Failed):
        outputs = [{"output": str(target)} for target in file.targets]
        return {"input": str(file.source), "status": "failed", "outputs": outputs, "error": file.failure.as_dict()}
    pixels = file.before[0].pixels
    pages = [page[0] for page in file.after]
    return {
        "input": str(file.source),
        "status": "partial" if file.missing else "done",
        "outputs": [
            {"output": str(target), "strength": strength, "steps": taken, **_accounted(file, k)}
            for k, (target, strength, taken) in enumerate(zip(file.targets, file.strengths, file.steps, strict=True))
        ],
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "pages": len(pages),
        "channels": 1 if pixels.ndim == 2 else pixels.shape[2],
        "depth": file.before[0].depth,
        **file.found.facts,
        "chosen_steps": fmean(page.chosen for page in pages),
        "tiles": sum(page.tiles for page in pages),
        "smaller_tiles": sum(page.smaller for page in pages),
        "redone_in_float32": sum(page.float32 for page in pages),
        "seconds": file.seconds,
        "s_per_mp": file.seconds / file.megapixels,
        "notes": list(file.notes),
    }


def _accounted(file: Done, place: int) -> dict[str, Any]:
    """What became of the parts of a file in its output at this place, if that was asked for."""
    return {"parts": [part._asdict() for part in file.accounts[place]]} if file.accounts else {}


def skipped_record(pair: Pair) -> dict[str, Any]:
    """The record of an output that exists and stays."""
    return {"input": str(pair.source), "status": "skipped", "outputs": [{"output": str(pair.target)}]}


def totals(records: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many files were done, done in part (they were cut off), failed and skipped."""
    counts = Counter(entry["status"] for entry in records)
    return {status: counts[status] for status in ("done", "partial", "failed", "skipped")}


def totals_line(records: Sequence[dict[str, Any]]) -> str:
    """The totals, and which files failed."""
    failed = [
        f"\n  failed: {entry['input']}: {entry['error']['what']}" for entry in records if entry["status"] == "failed"
    ]
    counts = [f"{count} {status}" for status, count in totals(records).items() if count or status != "partial"]
    return ", ".join(counts) + "".join(failed)


def progress_of(n_files: int, tell: Callable[[str], None]) -> Callable[[Path, float], None]:
    """Turns the share of a file that is done into a line about the batch."""
    begun: dict[Path, int] = {}

    def progress(path: Path, share: float) -> None:
        place = begun.setdefault(path, len(begun) + 1)
        tell(f"{place}/{n_files}  {path}  {share:.0%}")

    return progress


def exit_code(records: Sequence[dict[str, Any]]) -> int:
    """0 if all is whole; the failures' own code if nothing else happened and they agree; else 1."""
    codes = {entry["error"]["exit_code"] for entry in records if entry["status"] == "failed"}
    if not codes:
        return SOME_FAILED if any(entry["status"] == "partial" for entry in records) else 0
    alone = len(codes) == 1 and all(entry["status"] == "failed" for entry in records)
    return codes.pop() if alone else SOME_FAILED


def check_free(path: Path | None, option: str, *, overwrite: bool) -> None:
    """Raises OutputError if a file that an option asks for exists or its folder does not."""
    if path is None:
        return
    if path.exists() and not (overwrite and path.is_file()):
        raise OutputError(f"{path} exists", where=f"{option} {path}", cure="--overwrite, or another name")
    if not path.parent.is_dir():
        raise OutputError(
            f"there is no folder '{path.parent}'", where=f"{option} {path}", cure=f"mkdir -p '{path.parent}'"
        )


@contextmanager
def report_file(path: Path | None) -> Iterator[RawIOBase | None]:
    """A new file for one JSON record a line, or None."""
    if path is None:
        yield None
    else:
        with path.open("wb", buffering=0) as file:
            yield file


def write_record(file: RawIOBase | None, entry: dict[str, Any]) -> None:
    """One line, on disk before the next file is begun: the whole of it, or nothing. Raises OutputError."""
    if file is None:
        return
    rest = (json.dumps(entry, allow_nan=False) + "\n").encode()
    begun = file.tell()
    try:
        while rest:  # a disk that is nearly full takes a part
            rest = rest[file.write(rest) or 0 :]
    except OSError as error:
        file.truncate(begun)
        raise OutputError(
            f"cannot write the report: {error.strerror}; it ends with the last whole line",
            where="--report",
            cure="make room; --skip-existing goes on from here",
        ) from error
