"""`--resume` without `--out`: refused before anything is read or written, by every training."""

from __future__ import annotations

from pathlib import Path

import pytest
from pdenet_durr_cli import app

from backbone.commands.shell import run

TRAININGS = {
    "train denoise": ["train", "denoise", "missing"],
    "train dejpeg": ["train", "dejpeg", "missing"],
    "backbone train": ["backbone", "train", "small-cnn", "--data", "missing"],
}


@pytest.mark.parametrize("training", TRAININGS)
def test_a_run_that_is_not_named_cannot_go_on(
    training: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(app, [*TRAININGS[training], "--resume", "--device", "cpu"]) == 2  # 3 once the data are looked for
    assert "--resume needs the folder of the stopped run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert run(app, [*TRAININGS[training], "--resume", "--out", "run", "--device", "cpu"]) == 3
