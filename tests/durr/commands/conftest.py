"""A folder with a few pictures, and `denoise` and `dejpeg` as a user calls them there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pdenet_durr_cli import app
from PIL import Image

from backbone.commands.shell import run

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def grey() -> np.ndarray:
    return np.random.default_rng(11).integers(0, 256, (37, 50), dtype=np.uint8)


@pytest.fixture
def rgba() -> np.ndarray:
    return np.random.default_rng(12).integers(0, 256, (21, 30, 4), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path: Path, grey: np.ndarray, rgba: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a few pictures, away from the model."""
    place = tmp_path / "work"
    (place / "deep").mkdir(parents=True)
    monkeypatch.chdir(place)
    Image.fromarray(grey).save("a.png")
    Image.fromarray(rgba).save("b.png", dpi=(300, 300))
    Image.fromarray(grey).save("c.jpg", quality=85)
    Image.fromarray(grey).save("deep/d.tif")
    return place


def caller(command: str, model: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """call(words...) -> exit code, stdout, stderr; with this model unless told otherwise."""

    def call(*words: str, weights: Path | None = model) -> tuple[int, str, str]:
        given = [] if weights is None else ["--weights", str(weights)]
        code = run(app, [command, *words, *given, "--device", "cpu", "--precision", "float32"])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def denoise(folder: Path, grey_model: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller("denoise", grey_model, capsys)


@pytest.fixture
def dejpeg(folder: Path, jpeg_model: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    return caller("dejpeg", jpeg_model, capsys)


@pytest.fixture
def files(folder: Path) -> Callable[[], set[str]]:
    """files() -> the names of all files in the folder."""
    return lambda: {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
