"""The file of a benchmark's results: merged method by method and written whole each time; a stop keeps what is done."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backbone.atomic import write_atomic
from backbone.errors import InputError, OutputError
from backbone.versions import installed_version


class Record:
    """Results by row and method in a JSON file. Rows and methods that are not run again stay as they are."""

    def __init__(self, path: Path, suite: str, packages: Sequence[str]) -> None:
        """Take up an existing file. packages: those whose versions decide the figures.

        Raises InputError if the file is not one of this suite, OutputError if it cannot be written.
        """
        self.path = path
        self._suite = suite
        self._packages = packages
        self.document: dict[str, Any] = _load(path, suite) if path.exists() else {"suite": suite, "rows": {}}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {path.parent}", where="--out", cure="name another file") from error
        if not os.access(path.parent, os.W_OK):
            raise OutputError(f"{path.parent} cannot be written", where="--out", cure="name a file in another folder")

    def keep(self, row: str, facts: Mapping[str, Any], method: str, results: Mapping[str, Any]) -> None:
        """Replace one method's results of a row. facts: what the row is, as it stands now."""
        entry = self._row(row, facts)
        entry.pop("skipped", None)
        entry["methods"][method] = {
            **results,
            "versions": {package: installed_version(package) for package in self._packages},
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }
        self._save(row)

    def skip(self, row: str, facts: Mapping[str, Any], reason: str) -> None:
        """Say why a row was not run, unless earlier results of it are there."""
        entry = self._row(row, facts)
        if not entry["methods"]:
            entry["skipped"] = reason
            self._save(row)

    def rows(self, names: Sequence[str]) -> dict[str, Any]:
        """The entries of these rows."""
        return {name: self.document["rows"][name] for name in names}

    def _row(self, row: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The entry of a row, with its present facts."""
        entry: dict[str, Any] = self.document["rows"].setdefault(row, {"methods": {}})
        entry |= facts
        return entry

    def _save(self, row: str) -> None:
        """Write the row among those that are in the file by now: other runs may have added theirs."""
        entry = self.document["rows"][row]
        if self.path.exists():
            self.document = _load(self.path, self._suite)
        self.document["rows"][row] = entry
        write_atomic(self.path, (json.dumps(self.document, indent=1, allow_nan=False) + "\n").encode())


def _load(path: Path, suite: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}", where="--out", cure="name another file") from error
    if not isinstance(document, dict) or document.get("suite") != suite or not isinstance(document.get("rows"), dict):
        raise InputError(f"{path} holds no results of bench {suite}", where="--out", cure="name another file")
    return document
