"""Run folders: everything one command leaves behind, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from backbone.atomic import sync
from backbone.errors import OutputError, UsageError
from backbone.versions import installed_version

DONE = "DONE"
VERSIONS, SETTINGS = "versions.json", "settings.json"
PACKAGES = ("pdenet-durr", "torch", "numpy", "scipy", "sympy", "scikit-image", "safetensors", "torchdiffeq", "pillow")


def demand_folder(out: Path | None, *, resume: bool) -> None:
    """Raise UsageError where a run is to go on and its folder is not named."""
    if resume and out is None:
        raise UsageError("--resume needs the folder of the stopped run", where="--resume", cure="--resume --out DIR")


class RunFolder:
    """A run folder under a temporary name beside `path`; `finish` puts it in place, `discard` leaves no trace.

    As a context manager: finished at the end, kept without DONE after Ctrl+C, and after any other error if it holds
    weights, which may be the work of hours; else discarded.
    """

    def __init__(self, path: Path, work: Path) -> None:
        self.path = path
        self.work = work
        self._lock = -1

    @classmethod
    def create(
        cls,
        command: str,
        out: Path | None = None,
        overwrite: bool = False,
        root: Path = Path("runs"),
        resume: bool = False,
    ) -> RunFolder:
        """Open `out`, else the first free `runs/<command>-<n>`, and write versions.json into it.

        An unfinished run at `out` is replaced, or gone on with for `resume`, also one that was killed; a finished one
        is replaced only with `overwrite`, and nothing else ever.
        Raises OutputError if `out` is taken or cannot be written.
        """
        path = _next(root, command) if out is None else out.absolute() if out == Path() else out
        _demand_free(path, overwrite)
        run = cls(path, path.with_name(f".{path.name}.partial"))
        if resume and path.is_dir() and not run.work.exists():
            path.rename(run.work)
        elif not (resume and run.work.is_dir()):
            _make(run.work)
        run._take()
        run.write_json(VERSIONS, _versions())
        return run

    def _take(self) -> None:
        """Hold the folder until this process ends, however it ends."""
        self._lock = os.open(self.work, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise OutputError(
                "another run is being written there", where=str(self.work), cure="wait for it, or another --out"
            ) from error

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the run."""
        (self.work / name).write_text(text, encoding="utf-8")

    def write_json(self, name: str, document: Mapping[str, Any] | Sequence[Any]) -> None:
        """Write a JSON file of the run; NaN and infinities are no JSON and raise ValueError."""
        self.write_text(name, json.dumps(document, indent=2, allow_nan=False) + "\n")

    def write_settings(self, settings: Mapping[str, str | float | bool | Sequence[str] | None]) -> None:
        """Write config.toml: the options of the command; those not given are left out."""
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items() if value is not None]
        self.write_text("config.toml", "\n".join(lines) + "\n")

    def write_inputs(self, shapes: Mapping[Path, Sequence[int]]) -> None:
        """Write data.json: sha256, length in bytes and array shape of every input file or folder."""
        self.write_json("data.json", [_fingerprint(path, shape) for path, shape in shapes.items()])

    def agree(self, settings: Mapping[str, Any], resume: bool) -> None:
        """Write settings.json of a new run, or demand those that the run was begun with. Raises UsageError."""
        path = self.work / SETTINGS
        if resume and path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            changed = [
                f"{key} was {before.get(key)}, is {settings.get(key)}"
                for key in {**before, **settings}
                if before.get(key) != settings.get(key)
            ]
            if changed:
                raise UsageError(
                    f"the run was begun with other settings: {'; '.join(changed)}",
                    where="--resume",
                    cure="give the settings of before, or another --out without --resume",
                )
        self.write_json(SETTINGS, settings)

    def append_log(self, record: Mapping[str, Any]) -> None:
        """Add one line to log.jsonl, readable in `work` while the run goes on."""
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")

    def finish(self) -> Path:
        """Mark the run as done, force it onto the disk and give it its name."""
        self.write_text(DONE, "")
        return self._place()

    def keep(self) -> Path:
        """Give an unfinished run its name, without DONE; `<name>-stopped` where a finished run has that name."""
        if is_complete(self.path):
            self.path = self.path.with_name(f"{self.path.name}-stopped")
        return self._place()

    def _place(self) -> Path:
        for entry in [*self.work.rglob("*"), self.work]:
            sync(entry)
        old = self.path.with_name(f".{self.path.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.path.exists():
            self.path.rename(old)
        self.work.rename(self.path)
        sync(self.path.parent)
        shutil.rmtree(old, ignore_errors=True)
        os.close(self._lock)
        return self.path

    def discard(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self.work, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.finish()
        elif isinstance(error, KeyboardInterrupt) or any(self.work.glob("*.safetensors")):
            self.keep()
        else:
            self.discard()


def is_complete(path: Path) -> bool:
    """Whether a run folder holds a finished run."""
    return (path / DONE).is_file()


def _next(root: Path, command: str) -> Path:
    """The name after the last one taken, running ones included."""
    pattern = re.compile(rf"\.?{re.escape(command)}-(\d+)(\.partial)?")
    names = [entry.name for entry in root.iterdir()] if root.is_dir() else []
    taken = [int(match[1]) for name in names if (match := pattern.fullmatch(name))]
    return root / f"{command}-{max(taken, default=0) + 1}"


def _demand_free(path: Path, overwrite: bool) -> None:
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not (path / VERSIONS).is_file():
        raise OutputError(f"{path} exists and is no run folder", where=f"--out {path}", cure="another --out")
    if is_complete(path) and not overwrite:
        raise OutputError(f"{path} exists and is complete", where=f"--out {path}", cure="--overwrite, or another --out")


def _make(work: Path) -> None:
    """Make the folder a run is written in; it must be new."""
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir()
    except OSError as error:
        if work.is_dir():
            raise OutputError(
                "another run is being written there, or was killed",
                where=str(work),
                cure=f"--resume if it was killed and its command can, rm -r '{work}', or another --out",
            ) from error
        raise OutputError(f"cannot write: {error.strerror}", where=str(work.parent), cure="another --out") from error


def _versions() -> dict[str, str]:
    system = {"python": platform.python_version(), "platform": platform.platform()}
    return system | {package: installed_version(package) for package in PACKAGES}


def _fingerprint(path: Path, shape: Sequence[int]) -> dict[str, Any]:
    """A file by its sha256; a folder by that of the lines "sha256  name" of its files, as `sha256sum` prints them."""
    if path.is_dir():
        files = sorted(entry for entry in path.rglob("*") if entry.is_file())
        lines = "".join(f"{_digest(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
        digest = hashlib.sha256(lines.encode()).hexdigest()
        size = sum(file.stat().st_size for file in files)
    else:
        digest, size = _digest(path), path.stat().st_size
    return {"path": str(path), "sha256": digest, "bytes": size, "shape": list(shape)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
