"""Runs the rows: data made once, every method in a fresh process, results kept after each of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.record import Record
from pdenet.benchmark.cases import Row
from pdenet.benchmark.score import covered, score
from pdenet.benchmark.summary import reached, summarize
from pdenet.equations.equation import Equation

PACKAGES = ("pdenet-durr", "pysindy", "torch", "numpy", "scipy")  # whose versions decide the figures
OURS = "ours"
PEERS = ("best", "default")
LIMIT_S = 3600.0  # of one run of one method
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # the same for all


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the user may choose. seed: the first one; seeds: how many, for noisy rows. folder: of the public files."""

    seed: int = 0
    seeds: int = 5
    folder: Path | None = None
    peers: bool = True

    @property
    def methods(self) -> tuple[str, ...]:
        """Ours first."""
        return (OURS, *PEERS) if self.peers else (OURS,)


def run_rows(rows: Sequence[Row], settings: Settings, record: Record, told: Callable[[str], None]) -> bool:
    """Run every row, and save each method's results as soon as it is done; whether all of them succeeded."""
    good = True
    for row in rows:
        if row.is_file and not _at_hand(row, settings):
            record.skip(row.name, row.facts, f"{row.source} is not at hand: name its folder with --data")
            told(f"{row.name}: skipped, {row.source} is not at hand")
            continue
        limit = _limit(row, settings, told) if row.has_limit else None
        for method, runs in _measure_row(row, settings, told):
            keep(record, row, method, runs, limit)
            good = good and all("error" not in run for run in runs)
    return good


def keep(record: Record, row: Row, method: str, runs: Sequence[Mapping[str, Any]], limit: float | None = None) -> None:
    """Record the runs of one method over the seeds, their summary and whether it reaches the bound.

    limit: the Cramer-Rao bound of the row's data, percent.
    """
    summary = summarize(runs)
    good = reached(summary, row.mean_bound, row.max_bound)
    record.keep(
        row.name, row.facts | {"cramer_rao": limit}, method, {"reached": good, "summary": summary, "runs": runs}
    )


def _limit(row: Row, settings: Settings, told: Callable[[str], None]) -> float | None:
    """The Cramer-Rao bound of the first seed's data, percent; None if it cannot be worked out."""
    told(f"{row.name}: the Cramer-Rao bound")
    printed, failed = _child(["limit", row.name, str(settings.seed)])
    return None if failed else float(json.loads(printed)["cramer_rao"])


def _at_hand(row: Row, settings: Settings) -> bool:
    return settings.folder is not None and (settings.folder / row.source).is_file()


def _measure_row(
    row: Row, settings: Settings, told: Callable[[str], None]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each method with one record per seed; the data of all seeds are made before, in a temporary folder."""
    seeds = range(settings.seed, settings.seed + (settings.seeds if row.noise else 1))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        files = {seed: Path(folder) / f"{seed}.npz" for seed in seeds}
        for seed, file in files.items():
            told(f"{row.name}: data of seed {seed}")
            public = [str(settings.folder)] if row.is_file else []
            failed = _child(["data", row.name, str(file), str(seed), *public])[1]
            if failed:
                yield from ((method, [{"seed": seed, "error": failed}]) for method in settings.methods)
                return
        for method in settings.methods if row.weak is not None else settings.methods[:1]:
            told(f"{row.name}: {method}")
            yield method, [{"seed": seed, **_measure(row, method, file)} for seed, file in files.items()]


def _measure(row: Row, method: str, file: Path) -> dict[str, Any]:
    """Equations, setting, seconds and memory of one run, with its score; or its error."""
    printed, failed = _child([method, row.name, str(file)])
    if failed:
        return {"error": failed}
    answer: dict[str, Any] = json.loads(printed)
    found = tuple(Equation.from_dict(equation) for equation in answer.pop("equations"))
    result = score(row.equations, found)
    inside, intervals = covered(row.equations, found)
    return {
        "equations": [equation.to_text(digits=6) for equation in found],
        "found": result.found,
        "true": result.true,
        "false": result.false,
        "max_error": result.max_error,
        "mean_error": result.mean_error,
        "covered": inside,
        "intervals": intervals,
        **answer,
    }


def _child(words: Sequence[str]) -> tuple[str, str]:
    """What a process on the CPU with one thread prints, and why it failed: empty if it did not.

    This process never imports torch or pysindy: a child's peak memory would start from its parent's.
    """
    environment = os.environ | ONE_THREAD
    command = [sys.executable, "-m", "pdenet.benchmark.child", *words]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {LIMIT_S:g} s"
    if done.returncode == 0:
        return done.stdout, ""
    last = done.stderr.strip().splitlines()[-1:] or ["no message"]
    return "", f"exit code {done.returncode}: {last[0]}" if "error[" not in done.stderr else done.stderr.strip()
