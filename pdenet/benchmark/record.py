"""The file of results: merged method by method and written whole each time, so that a stop keeps what is done."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from backbone.atomic import write_atomic
from backbone.errors import InputError, OutputError
from pdenet.benchmark.cases import Row
from pdenet.benchmark.summary import reached

PACKAGES = ("pdenet-durr", "pysindy", "torch", "numpy", "scipy")


class Record:
    """Results by row and method in a JSON file. Rows and methods that are not run again stay as they are."""

    def __init__(self, path: Path, suite: str) -> None:
        """Take up an existing file. Raises InputError if it is not one of ours, OutputError if it cannot be written."""
        self.path = path
        self.document: dict[str, Any] = _load(path, suite) if path.exists() else {"suite": suite, "rows": {}}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}", where="--out", cure="name another file") from error
        if not os.access(path.parent, os.W_OK):
            raise OutputError(f"{path.parent} cannot be written", where="--out", cure="name a file in another folder")

    def keep(self, row: Row, method: str, runs: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> None:
        """Replace one method's results of a row."""
        entry = self._row(row)
        entry.pop("skipped", None)
        entry["methods"][method] = {
            "reached": reached(summary, row.mean_bound, row.max_bound),
            "summary": summary,
            "runs": runs,
            "versions": _versions(),
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }
        self._save()

    def skip(self, row: Row, reason: str) -> None:
        """Say why a row was not run, unless earlier results of it are there."""
        entry = self._row(row)
        if not entry["methods"]:
            entry["skipped"] = reason
            self._save()

    def rows(self, names: Sequence[str]) -> dict[str, Any]:
        """The entries of these rows."""
        return {name: self.document["rows"][name] for name in names}

    def _row(self, row: Row) -> dict[str, Any]:
        """The entry of a row, with the present truth, bounds and note."""
        entry = self.document["rows"].setdefault(row.name, {"methods": {}})
        entry |= {
            "truth": list(row.truth),
            "mean_bound": row.mean_bound,
            "max_bound": row.max_bound,
            "noise": row.noise,
            "note": row.note,
        }
        return entry

    def _save(self) -> None:
        write_atomic(self.path, (json.dumps(self.document, indent=1, allow_nan=False) + "\n").encode())


def _load(path: Path, suite: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}", where="--out", cure="name another file") from error
    if not isinstance(document, dict) or document.get("suite") != suite or not isinstance(document.get("rows"), dict):
        raise InputError(f"{path} holds no results of bench {suite}", where="--out", cure="name another file")
    return document


def _versions() -> dict[str, str]:
    """Of the packages that decide the figures, where installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions
