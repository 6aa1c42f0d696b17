"""A disk that is full: a real limit on the size of files, a sync that fails, and a device that takes nothing."""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from backbone.errors import OutputError
from durr.batch.denoising import Denoising
from durr.batch.report import report_file, write_record
from durr.batch.run import Done, Failed, Settings, restore_files
from durr.images.inputs import STDOUT
from durr.images.naming import Pair
from durr.images.reader import MAX_PIXELS
from durr.restorer import Restorer

PICTURE = np.random.default_rng(2).integers(0, 256, (80, 90), dtype=np.uint8)


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of the process grows beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def restore(grey_model: Path):  # type: ignore[no-untyped-def]
    """restore(source, target) -> Done or Failed."""
    model = Restorer.from_file(grey_model, device="cpu", precision="float32")

    def run(source: Path, target: Path) -> Done | Failed:
        settings = Settings(
            repair=Denoising(), strengths={"": 1.0}, format="keep", max_pixels=MAX_PIXELS, overwrite=True
        )
        (file,) = restore_files(model, [Pair(source, target)], settings, lambda path, share: None)
        return file

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()
    Image.fromarray(PICTURE).save(path)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """An output of an earlier run, which is to be replaced."""
    path = tmp_path / "out" / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"an earlier output")
    return path


def check_untouched(file: Done | Failed, target: Path, reason: str) -> None:
    assert isinstance(file, Failed)
    assert file.failure.exit_code == 4
    assert reason in str(file.failure)
    assert list(target.parent.iterdir()) == [target]
    assert target.read_bytes() == b"an earlier output"


def test_a_write_that_ends_half_way(restore, source: Path, target: Path) -> None:
    with files_end_at(1000):
        file = restore(source, target)
    check_untouched(file, target, os.strerror(errno.EFBIG))


def test_a_sync_that_fails(restore, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    check_untouched(restore(source, target), target, "No space left on device; nothing half-written remains")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_a_pipe_that_takes_nothing(restore, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as device:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=device))
        file = restore(source, STDOUT)
    assert isinstance(file, Failed)
    assert (file.failure.exit_code, file.failure.what) == (4, "No space left on device")


def test_a_report_ends_with_a_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with report_file(path) as lines, files_end_at(100):
        write_record(lines, {"input": "a" * 60})
        with pytest.raises(OutputError, match="the last whole line"):
            write_record(lines, {"input": "b" * 60})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"input": "a" * 60}]
