"""`pdenet-durr backbone train`: learns, tells, refuses wrong words, and goes on bit for bit after a kill."""

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
import torch
from pdenet_durr_cli import app

from backbone.checkpoint import load_state
from backbone.classifier.data import training_data
from backbone.classifier.named import ON_PICTURES, ON_POINTS, Fit, named_net
from backbone.classifier.training import MODEL_KIND, load_classifier
from backbone.commands.shell import run
from backbone.samples import Samples, cross_entropy
from backbone.train.adversarial import Adversarial
from backbone.train.algorithms import Natural
from backbone.train.yopo import Yopo


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 8 x 8 pictures: noise, brighter in another third of the rows."""
    rng = np.random.default_rng(0)

    def made(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(n) % 3
        pixels = rng.integers(0, 100, (n, 8, 8))
        for picture, label in zip(pixels, labels, strict=True):
            picture[3 * label : 3 * label + 2] += 120
        return pixels.astype(np.uint8), labels

    path = tmp_path_factory.mktemp("data") / "rows.npz"
    (x_train, y_train), (x_test, y_test) = made(96), made(30)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def words(data: Path | str, out: Path, *more: str, name: str = "small-cnn") -> list[str]:
    return ["backbone", "train", name, "--data", str(data), "--out", str(out), "--threads", "1", "--quiet", *more]


def test_a_training_learns_and_leaves_a_model(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    more = ["--update", "yopo:2,2", "--epochs", "6", "--batch", "16", "--eps", "0.05", "--lr", "0.01", "--json"]
    assert run(app, words(pictures, out, *more)) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["accuracy"] >= 0.9
    assert told["accuracy"] >= told["accuracy_under_pgd_20"] > 0.5
    assert (told["full_passes"], told["first_layer"], told["attacked"]) == (6 * 6 * 2, 6 * 6 * 2 * 3, 30)
    assert json.loads((out / "metrics.json").read_text())["accuracy"] == told["accuracy"]
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in log] == [1, 2, 3, 4, 5, 6]
    assert json.loads((out / "data.json").read_text())[0]["shape"] == [96, 1, 8, 8]
    test = training_data(str(pictures)).test
    right = load_classifier(out / "model.safetensors")(test.inputs).argmax(1) == test.labels
    assert right.double().mean().item() == pytest.approx(told["accuracy"])


def test_points_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--epochs", "8", "--lr", "0.05", "--batch", "100", "--layers", "8"]
    assert run(app, words("ellipses", tmp_path / "run", *more, name="hamiltonian")) == 0
    assert float(capsys.readouterr().out.split()[1]) >= 0.9


def weights(path: Path) -> dict[str, torch.Tensor]:
    net: dict[str, torch.Tensor] = load_state(path / "model.safetensors", kind=MODEL_KIND)["net"]
    return net


@pytest.mark.parametrize(("name", "update"), [("small-cnn", "free:2"), ("shake-shake", "natural")])
def test_a_killed_run_goes_on_bit_for_bit(name: str, update: str, pictures: Path, tmp_path: Path) -> None:
    more = ["--update", update, "--epochs", "2", "--batch", "16", "--save-every", "0"]
    more += ["--layers", "14"] if name == "shake-shake" else []
    assert run(app, words(pictures, tmp_path / "whole", *more, name=name)) == 0
    partial = tmp_path / ".killed.partial" / "checkpoint.safetensors"
    command = [sys.executable, "-m", "pdenet_durr_cli", *words(pictures, tmp_path / "killed", *more, name=name)]
    with subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}) as process:
        while not partial.exists() and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    if partial.exists():  # else the machine was so slow to look that the run had ended
        assert run(app, words(pictures, tmp_path / "killed", *more, "--resume", name=name)) == 0
    whole, killed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert all(torch.equal(whole[key], killed[key]) for key in whole)
    assert (tmp_path / "whole" / "metrics.json").read_text() == (tmp_path / "killed" / "metrics.json").read_text()
    assert (tmp_path / "whole" / "log.jsonl").read_text() == (tmp_path / "killed" / "log.jsonl").read_text()


@pytest.mark.parametrize(
    ("name", "more", "code", "message"),
    [
        ("alexnet", [], 2, "there is no network 'alexnet'"),
        ("hamiltonian", [], 2, "hamiltonian is no network for pictures"),
        ("small-cnn", ["--update", "fgsm"], 2, "'fgsm' is no update"),
        ("small-cnn", ["--batch", "1000"], 2, "batches of 1000 from 96"),
        ("small-cnn", ["--resume"], 0, ""),
        ("resnet", ["--layers", "15"], 2, "depth must be 6 n"),
    ],
)
def test_wrong_words(
    name: str,
    more: list[str],
    code: int,
    message: str,
    pictures: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(app, words(pictures, tmp_path / "run", "--epochs", "1", "--batch", "48", *more, name=name)) == code
    assert message in capsys.readouterr().err
    assert (tmp_path / "run").exists() == (code == 0)


def test_wrong_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, words("circles", tmp_path / "run")) == 3
    assert run(app, words("peaks", tmp_path / "run", "--update", "pgd:3", name="antisymmetric")) == 2
    assert "points are no pictures" in capsys.readouterr().err


def test_other_settings_do_not_go_on(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ".run.partial"
    folder.mkdir()
    (folder / "settings.json").write_text(
        json.dumps(
            {
                "name": "small-cnn",
                "data": str(pictures),
                "update": "pgd:2",
                "batch": 48,
                "learning_rate": 0.002,
                "eps": 0.1,
                "layers": None,
                "seed": 0,
            }
        )
    )
    assert run(app, words(pictures, tmp_path / "run", "--batch", "48", "--resume")) == 2
    assert "update was pgd:2, is natural" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*ON_PICTURES, *ON_POINTS])
def test_every_name_makes_a_net_that_fits(name: str) -> None:
    sample = (3, 16, 16) if name in ON_PICTURES else (2,)
    layers = None if name in ON_POINTS else 1 if name == "small-cnn" else 14
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    net = named_net(name, Fit(sample=sample, classes=4, layers=layers), generator=generators[0], draws=generators[1])
    samples = Samples(torch.rand(2, *sample, generator=generators[0]), torch.tensor([1, 3]))
    assert net(samples.inputs).shape == (2, 4)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    how = Yopo(1, 1, 0.1) if name in ON_PICTURES else Natural()
    loss = Adversarial(net, cross_entropy, optimiser, how, eps=0.1, generator=generators[0])(samples)["loss"]
    assert loss > 0  # weights that no loss hangs on, as the first k of LM-ResNet, are no error
