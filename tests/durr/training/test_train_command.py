"""`train denoise` as a user runs it: folders, a model that denoise takes, refusals, and a kill in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pdenet_durr_cli import app
from PIL import Image

from backbone.commands.shell import run
from durr.restorer import Restorer

SMALL = ["--batch", "2", "--patch", "16", "--threads", "1", "--device", "cpu"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twenty small colour pictures: smooth random shapes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(20):
        rough = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(rough).resize((48, 40), Image.Resampling.BICUBIC).save(folder / f"{number:02d}.png")
    return folder


def train(photos: Path, out: Path, *more: str) -> int:
    return run(app, ["train", "denoise", str(photos), "--out", str(out), "--quiet", *SMALL, *more])


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_becomes_a_model_that_denoise_takes(
    photos: Path, tmp_path: Path, channels: int, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(photos, out, "--steps", "4", "--channels", str(channels), "--json") == 0
    card = json.loads(capsys.readouterr().out)
    assert (out / "DONE").exists()
    assert card["data"]["pictures"] == 19  # every 20th is kept apart
    assert card["settings"]["steps"] == 4
    assert json.loads((out / "model.json").read_text())["weights"] == card["weights"]
    image = np.asarray(Image.open(photos / "00.png"))
    restored = Restorer.from_file(out / "model.safetensors")(image)
    assert restored.image.shape == image.shape
    assert restored.image.dtype == np.uint8


def test_jpeg_is_trained_in_the_same_way(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    words = ["train", "dejpeg", str(photos), "--out", str(out), "--quiet", "--json", *SMALL, "--steps", "4"]
    assert run(app, [*words, "--channels", "3", "--quality-min", "20", "--quality-max", "30"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["command"] == "pdenet-durr train dejpeg"
    assert card["settings"]["qualities"] == [20, 30]
    assert card["figures"]["stopping"]["unit"]["grades"] == [20, 30]
    assert sorted(card["figures"]["validation_psnr"]) == ["10", "20", "30", "40"]
    image = np.asarray(Image.open(photos / "00.png"))
    assert Restorer.from_file(out / "model.safetensors", "dejpeg")(image, quality=20).image.shape == image.shape
    assert run(app, [*words, "--overwrite", "--quality-min", "40", "--quality-max", "30"]) == 2
    assert "qualities from 40 to 30" in capsys.readouterr().err


def test_a_killed_run_goes_on_to_the_same_weights(photos: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pdenet_durr_cli", "train", "denoise", str(photos), "--steps", "150", *SMALL]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*words, "--out", str(whole)], check=True, capture_output=True)
    words += ["--out", str(killed), "--save-every", "0"]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / ".killed.partial" / "unit-checkpoint.safetensors"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not killed.exists()
    subprocess.run([*words, "--resume"], check=True, capture_output=True)
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_going_on_with_other_settings_is_refused(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(photos, out, "--steps", "2") == 0
    assert train(photos, out, "--steps", "4", "--resume", "--sigma-max", "30") == 4  # a finished run stays
    (out / "DONE").unlink()
    assert train(photos, out, "--steps", "4", "--resume", "--sigma-max", "30") == 2
    assert "sigma_max was 55.0, is 30.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--channels", "2"], 2, "--channels 1 or --channels 3"),
        (["--patch", "18"], 2, "--patch 20"),
        (["--patch", "64"], 3, "--patch 40"),
        (["--resume"], 0, ""),  # nothing there yet: it begins
    ],
)
def test_refusals(
    photos: Path, tmp_path: Path, words: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(photos, tmp_path / "run", "--steps", "2", *words) == code
    assert told in capsys.readouterr().err


def test_data_that_cannot_serve(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert train(tmp_path / "empty", tmp_path / "run", "--steps", "2") == 3
    assert train(photos, tmp_path / "run", "--steps", "2", "--val", str(photos)) == 3
    assert "20 files are in DATA and in --val" in capsys.readouterr().err
    (photos / "05.png").write_bytes(b"no picture")
    assert run(app, ["train", "denoise", str(photos), "--out", str(tmp_path / "r2"), "--steps", "2", *SMALL]) == 0
    assert "05.png is left out" in capsys.readouterr().err
    (photos / "00.png").write_bytes(b"no picture")  # the only one to validate on
    assert train(photos, tmp_path / "run", "--steps", "2") == 3
