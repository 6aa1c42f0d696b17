"""The experiments with YOPO at the smallest size: every figure is there, and counts are those of the definitions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pdenet_durr_cli import app

from backbone.checks.measured import Measured
from backbone.commands.shell import run
from backbone.experiments.results import Results
from backbone.experiments.stopwatch import in_turns
from backbone.experiments.yopo import YopoExperiment
from backbone.experiments.yopo_time import YopoTime


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.npz"
    x = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(path, x_train=x[:32], y_train=np.arange(32) % 3, x_test=x[32:], y_test=np.arange(8) % 3)
    return path


def bench(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = run(app, ["bench", "backbone", *words, "--quiet"])
    return code, capsys.readouterr().out


def test_the_experiment_measures_what_it_promises(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["yopo", "--data", str(pictures), "--seeds", "1", "--out", str(tmp_path / "out.json")]
    for setting in ("n_train=32", "n_test=4", "epochs=2", "batch=16", "width=2"):
        words += ["--set", setting]
    code, out = bench([*words, "--json"], capsys)
    methods = json.loads(out)["methods"]
    assert code == 0
    passes = {name: (entry["seeds"]["0"]["full"], entry["seeds"]["0"]["first"]) for name, entry in methods.items()}
    # 2 epochs of 2 batches; Free-8 one epoch
    assert passes == {
        "natural": (4, 0),
        "pgd:10": (44, 0),
        "yopo:5,3": (20, 80),
        "yopo:3,5": (12, 72),
        "free:8": (16, 0),
        "fast": (8, 0),
    }
    for entry in methods.values():
        figures = entry["seeds"]["0"]
        assert figures["apgd"] <= figures["clean"]
        assert figures["pgd"] <= figures["clean"]
        assert figures["train_s"] == pytest.approx(figures["epochs"] * figures["epoch_s"])
    code, out = bench(words, capsys)  # nothing is left to measure
    assert code == 0
    assert "full passes of YOPO-5-3 / PGD-10" in out


def test_pictures_are_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["yopo", "--out", str(tmp_path / "out.json")], capsys)[0] == 2


def test_times_are_taken_in_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["yopo-time", "--seeds", "1", "--out", str(tmp_path / "out.json"), "--json"]
    for setting in ("width=2", "pixels=8", "batch=4", "rounds=2"):
        words += ["--set", setting]
    code, out = bench(words, capsys)
    methods = {name: entry["seeds"]["0"] for name, entry in json.loads(out)["methods"].items()}
    assert (code, methods["pgd:10"]["of_pgd"]) == (0, 1.0)
    assert methods["yopo:5,3"]["of_full"] == pytest.approx(methods["yopo:5,3"]["in_passes"] / 11)
    order: list[str] = []
    runs = {name: (lambda name=name: order.append(name)) for name in "ab"}
    assert set(in_turns(runs, torch.device("cpu"), rounds=2)) == {"a", "b"}
    assert order == list("ababab")


def test_bounds_are_those_of_the_claim() -> None:
    figures = {"pgd": 0.85, "apgd": 0.84, "full": 11, "of_pgd": 1.0, "of_full": 0.9}
    yopo = {"pgd": 0.86, "apgd": 0.80, "full": 5, "of_pgd": 0.6, "of_full": 0.4}
    results = Results({"pgd:10": {0: figures}, "yopo:5,3": {0: yopo}})
    assert _passed(YopoExperiment().bounds(results)) == [True, False, True]
    assert _passed(YopoTime().bounds(results)) == [False, True]


def _passed(bounds: list[Measured]) -> list[bool]:
    return [entry.passed for entry in bounds]
