"""Run folders: whole or not at all, never over anything that is not ours."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path

import pytest

from backbone.errors import OutputError
from backbone.runs import RunFolder, is_complete


def finished(path: Path, text: str = "1") -> Path:
    with RunFolder.create("learn", path) as run:
        run.write_text("note.txt", text)
    return path


def write_half(run: RunFolder) -> None:
    """A run that is stopped in the middle."""
    run.write_text("state", "half")
    raise KeyboardInterrupt


def diverge(run: RunFolder) -> None:
    """A training that fails after its first checkpoint."""
    run.write_text("checkpoint.safetensors", "hours of work")
    raise ValueError("diverged")


def test_a_run_appears_when_it_is_finished(tmp_path: Path) -> None:
    source = tmp_path / "input.npz"
    source.write_bytes(b"abc")
    with RunFolder.create("learn", root=tmp_path / "runs") as run:
        run.write_json("metrics.json", {"loss": 0.5})
        run.write_inputs({source: (28, 10, 1, 32, 32)})
        run.append_log({"step": 1})
        run.append_log({"step": 2})
        assert run.path == tmp_path / "runs" / "learn-1"
        assert not run.path.exists()
    assert is_complete(run.path)
    assert sorted(entry.name for entry in run.path.iterdir()) == [
        "DONE",
        "data.json",
        "log.jsonl",
        "metrics.json",
        "versions.json",
    ]
    assert [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()] == [
        {"step": 1},
        {"step": 2},
    ]
    assert json.loads((run.path / "metrics.json").read_text()) == {"loss": 0.5}
    assert json.loads((run.path / "versions.json").read_text())["numpy"] == metadata.version("numpy")
    (entry,) = json.loads((run.path / "data.json").read_text())
    assert entry == {
        "path": str(source),
        "sha256": hashlib.sha256(b"abc").hexdigest(),
        "bytes": 3,
        "shape": [28, 10, 1, 32, 32],
    }
    assert [entry.name for entry in run.path.parent.iterdir()] == ["learn-1"]


def test_runs_are_counted_running_ones_included(tmp_path: Path) -> None:
    for name in ("learn-2", "learn-10", "simulate-30", "learn-x"):
        (tmp_path / name).mkdir()
    with RunFolder.create("learn", root=tmp_path) as first, RunFolder.create("learn", root=tmp_path) as second:
        assert [first.path.name, second.path.name] == ["learn-11", "learn-12"]


def test_a_finished_run_is_kept_unless_told(tmp_path: Path) -> None:
    path = finished(tmp_path / "run", "old")
    with pytest.raises(OutputError, match="exists and is complete") as caught:
        RunFolder.create("learn", path)
    assert caught.value.exit_code == 4
    with RunFolder.create("learn", path, overwrite=True) as run:
        assert (path / "note.txt").read_text() == "old"
        run.write_text("other.txt", "new")
    assert not (path / "note.txt").exists()
    assert (path / "other.txt").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_run_leaves_no_trace(tmp_path: Path) -> None:
    path = finished(tmp_path / "run", "old")
    with pytest.raises(ValueError, match="Out of range float"), RunFolder.create("learn", path, overwrite=True) as run:
        run.write_json("metrics.json", {"loss": float("nan")})
    assert (path / "note.txt").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_weights_outlive_an_error(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(ValueError, match="diverged"), RunFolder.create("train", path) as run:
        diverge(run)
    assert (path / "checkpoint.safetensors").read_text() == "hours of work"
    assert not is_complete(path)
    with RunFolder.create("train", path, resume=True) as run:
        assert (run.work / "checkpoint.safetensors").exists()


def test_a_stopped_run_is_kept_without_done_and_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), RunFolder.create("learn", path) as run:
        write_half(run)
    assert (path / "state").read_text() == "half"
    assert not is_complete(path)
    assert is_complete(finished(path))


def test_a_stopped_run_never_takes_the_place_of_a_finished_one(tmp_path: Path) -> None:
    path = finished(tmp_path / "run", "old")
    with pytest.raises(KeyboardInterrupt), RunFolder.create("learn", path, overwrite=True):
        raise KeyboardInterrupt
    assert (path / "note.txt").read_text() == "old"
    assert is_complete(path)
    assert (tmp_path / "run-stopped" / "versions.json").is_file()
    assert not is_complete(tmp_path / "run-stopped")


def test_what_is_no_run_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holiday = tmp_path / "photos"
    holiday.mkdir()
    (holiday / "1.jpg").write_bytes(b"x")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="is no run folder"):
            RunFolder.create("learn", holiday, overwrite)
        with pytest.raises(OutputError, match="is no run folder"):
            RunFolder.create("learn", holiday / "1.jpg", overwrite)
    monkeypatch.chdir(holiday)
    with pytest.raises(OutputError, match="is no run folder"):
        RunFolder.create("learn", Path())
    (tmp_path / "empty").mkdir()
    assert is_complete(finished(tmp_path / "empty"))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with RunFolder.create("learn", tmp_path / "run"), pytest.raises(OutputError, match="another run is being written"):
        RunFolder.create("learn", tmp_path / "run")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write: File exists"):
        RunFolder.create("learn", tmp_path / "file" / "run")
