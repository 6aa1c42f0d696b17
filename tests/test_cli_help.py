"""Help answers at once: under half a second from a fresh process, because nothing slow is imported for it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer
from pdenet_durr_cli import app

ROOT = Path(__file__).parents[1]
SLOW = ("torch", "scipy", "sympy", "matplotlib", "skimage", "pandas", "h5py", "xarray", "zarr", "pysindy")
ENTRIES = {
    "module": [sys.executable, "-m", "pdenet_durr_cli"],
    "checkout": [sys.executable, str(ROOT / "cli.py")],
    "script": [str(Path(sys.executable).with_name("pdenet-durr"))],
}


def command_paths(command: Any = None, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every registered command, the empty ones of the application first."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", {})
    return [path, *(found for name, sub in below.items() for found in command_paths(sub, (*path, name)))]


def run(words: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_four_commands_are_there() -> None:
    assert {("inspect",), ("simulate",), ("learn",), ("equation",)} <= set(command_paths())


@pytest.mark.parametrize("path", command_paths(), ids=" ".join)
def test_help_answers_in_half_a_second(path: tuple[str, ...], tmp_path: Path) -> None:
    seconds = []
    for _ in range(3):  # the best of three: other work on the machine can only slow a run down
        begun = time.perf_counter()
        answer = run([*ENTRIES["module"], *path, "--help"], tmp_path)
        seconds.append(time.perf_counter() - begun)
        assert answer.returncode == 0
        assert answer.stdout.startswith("Usage: pdenet-durr")
        assert answer.stderr == ""
    assert min(seconds) < 0.5  # the promise of house and issue, measured as the user waits


@pytest.mark.parametrize("path", command_paths(), ids=" ".join)
def test_help_imports_nothing_slow(path: tuple[str, ...], tmp_path: Path) -> None:
    answer = run([sys.executable, "-X", "importtime", "-m", "pdenet_durr_cli", *path, "--help"], tmp_path)
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in answer.stderr.splitlines()}
    assert "backbone" in imported  # the list was read
    assert imported.isdisjoint(SLOW)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_way_in_gives_the_same_help(entry: str, tmp_path: Path) -> None:
    answer = run([*ENTRIES[entry], "--help"], tmp_path)
    assert answer.returncode == 0
    assert answer.stdout == run([*ENTRIES["module"], "--help"], tmp_path).stdout


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_way_in_gives_the_exit_code(entry: str, tmp_path: Path) -> None:
    answer = run([*ENTRIES[entry], "learn", "no-such-file.npz"], tmp_path)
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr.startswith("error[INPUT]: ")
    assert list(tmp_path.iterdir()) == []  # nothing half-written
