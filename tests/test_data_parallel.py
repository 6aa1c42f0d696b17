"""Trainings shared by processes that torchrun starts: one process's weights, exact resume, one voice, no hanging."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from pdenet_durr_cli import app
from PIL import Image

from backbone.commands.shell import run
from backbone.data_parallel import ALONE, CPU, Replicas, demand_alone, replicas_of_torchrun
from backbone.errors import UsageError

SCRIPT = Path(__file__).with_name("replicas_equal_one.py")
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
APPLICATION = ["-m", "pdenet_durr_cli"]
LIMIT_S = 240  # of a loaded machine; alone each takes seconds


@contextmanager
def pair(*words: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes in the environment that torchrun makes, without its own process: a third of the start."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, *APPLICATION, *words],
            env=os.environ | known | {"RANK": str(rank), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": "2"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def ended(*words: str) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of both."""
    with pair(*words) as processes:
        told = [process.communicate(timeout=LIMIT_S) for process in processes]
        return [(process.returncode, *texts) for process, texts in zip(processes, told, strict=True)]


def wait_for(path: Path, processes: list[subprocess.Popen[str]]) -> None:
    until = time.monotonic() + LIMIT_S
    while not path.exists() and all(process.poll() is None for process in processes) and time.monotonic() < until:
        time.sleep(0.01)
    assert path.exists()


def points(out: Path, *more: str) -> list[str]:
    words = ["backbone", "train", "hamiltonian", "--data", "ellipses", "--batch", "100", "--layers", "2"]
    return [*words, "--out", str(out), "--threads", "1", "--device", "cpu", "--save-every", "0", *more]


def test_every_update_is_that_of_one_process() -> None:
    done = subprocess.run([*TORCHRUN, str(SCRIPT)], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"rank {rank} of 2 equals one process" in done.stdout for rank in range(2))


def test_a_killed_training_goes_on_bit_for_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    first, second = ended(*points(whole, "--epochs", "12"))
    assert (first[0], second[0]) == (0, 0), (first, second)
    assert first[1].startswith("accuracy")
    assert second[1:] == ("", "")  # one voice
    words = points(killed, "--epochs", "12")
    with pair(*words) as processes:
        wait_for(tmp_path / ".killed.partial" / "checkpoint.safetensors", processes)
        processes[1].send_signal(signal.SIGKILL)
        _, told = processes[0].communicate(timeout=LIMIT_S)
    assert processes[0].returncode == 5
    assert "another process of this training has ended" in told
    assert not (killed / "DONE").exists()
    assert run(app, [*words, "--resume"]) == 2  # the last bits would be others
    assert "processes was 2, is None" in capsys.readouterr().err
    assert [code for code, *_ in ended(*words, "--resume")] == [0, 0]
    for name in ("model.safetensors", "metrics.json", "log.jsonl"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_ctrl_c_stops_all_after_the_same_update(tmp_path: Path) -> None:
    with pair(*points(tmp_path / "run", "--epochs", "100000")) as processes:
        wait_for(tmp_path / ".run.partial" / "checkpoint.safetensors", processes)
        processes[1].send_signal(signal.SIGINT)  # one is enough
        told = [process.communicate(timeout=LIMIT_S)[1] for process in processes]
    assert [process.returncode for process in processes] == [130, 130], told
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_none_outlives_torchrun(tmp_path: Path) -> None:
    out, partial = tmp_path / "run", tmp_path / ".run.partial"
    words = points(out, "--epochs", "100000")
    with subprocess.Popen([*TORCHRUN, *APPLICATION, *words], stderr=subprocess.DEVNULL) as torchrun:
        wait_for(partial / "checkpoint.safetensors", [torchrun])
        torchrun.kill()
    until = time.monotonic() + LIMIT_S
    while locked(partial) and time.monotonic() < until:
        time.sleep(0.05)
    assert not locked(partial)
    assert (partial / "checkpoint.safetensors").exists()


def locked(folder: Path) -> bool:
    """Whether a process holds the run folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_a_restorer_is_trained_and_goes_on(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(2):
        rough = np.random.default_rng(number).integers(0, 256, (6, 8), dtype=np.uint8)
        Image.fromarray(rough).resize((32, 24), Image.Resampling.BICUBIC).save(photos / f"{number}.png")
    words = ["train", "denoise", str(photos), "--steps", "3", "--batch", "2", "--patch", "16", "--quiet"]
    words += ["--threads", "1", "--device", "cpu", "--save-every", "0", "--out"]
    done = subprocess.run(
        [*TORCHRUN, *APPLICATION, *words, str(tmp_path / "whole"), "--json"],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"processes": 2') == 1
    with pair(*words, str(tmp_path / "killed")) as processes:
        wait_for(tmp_path / ".killed.partial" / "unit-checkpoint.safetensors", processes)
    assert [code for code, *_ in ended(*words, str(tmp_path / "killed"), "--resume")] == [0, 0]
    model = "model.safetensors"
    assert (tmp_path / "killed" / model).read_bytes() == (tmp_path / "whole" / model).read_bytes()


def test_alone_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    demand_alone("learn")
    with replicas_of_torchrun(CPU) as replicas:
        assert replicas == ALONE
    rows = torch.arange(3.0)
    assert ALONE.gathered(rows) is rows
    assert (ALONE.own(7), ALONE.as_dict(), ALONE.told("a")) == (slice(0, 7), {}, "a")


def test_what_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="a batch of 7 cannot be shared by 2") as refused:
        Replicas(0, 2).own(7)
    assert refused.value.cure == "--batch 8"
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(UsageError, match="learn cannot be shared"):
        demand_alone("learn")
    with pytest.raises(UsageError, match="2 processes need a GPU each"), replicas_of_torchrun(torch.device("cuda:0")):
        pass
