"""`pdenet-durr denoise` as a user runs it: what it writes and what it tells."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from pdenet_durr_cli import app
from PIL import Image

from backbone.commands.shell import run
from durr.batch import repair
from durr.restorer import Restorer

Denoise = Callable[..., tuple[int, str, str]]
Files = Callable[[], set[str]]


def test_a_picture_is_restored_beside_itself(denoise: Denoise, grey_model: Path, grey: np.ndarray) -> None:
    code, out, err = denoise("a.png")
    assert (code, out) == (0, "")
    assert err.startswith("a.png  50 x 37  8-bit  noise ")
    assert "  steps 3  " in err
    assert err.rstrip().splitlines()[0].endswith(" s/MP  -> a_denoised.png")
    expected = Restorer.from_file(grey_model, device="cpu", precision="float32")(grey).image
    np.testing.assert_array_equal(np.asarray(Image.open("a_denoised.png")), expected)
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), grey)  # the input stays


def test_one_document(denoise: Denoise) -> None:
    code, out, err = denoise("a.png", "b.png", "--json", "--quiet")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["totals"] == {"done": 2, "partial": 0, "failed": 0, "skipped": 0}
    first, second = document["files"]
    assert first["outputs"] == [{"output": "a_denoised.png", "strength": 1.0, "steps": 3.0}]
    assert (first["width"], first["height"], first["channels"], first["depth"], first["pages"]) == (
        50, 37, 1, "8-bit", 1,
    )  # fmt: skip
    assert first["seconds"] == pytest.approx(first["s_per_mp"] * 50 * 37 / 1e6)
    assert second["channels"] == 3
    assert second["notes"] == ["grey model: the channels are restored one by one"]


def test_the_ensemble_is_written(denoise: Denoise, grey_model: Path, grey: np.ndarray) -> None:
    assert denoise("a.png", "--ensemble")[0] == 0
    model = Restorer.from_file(grey_model, device="cpu", precision="float32", ensemble=True)
    written = np.asarray(Image.open("a_denoised.png"))
    assert np.array_equal(written, model(grey).image)


def test_a_sweep_writes_every_strength_from_one_pass(denoise: Denoise, grey_model: Path, grey: np.ndarray) -> None:
    assert denoise("a.png", "--sweep", "4")[0] == 0
    model = Restorer.from_file(grey_model, device="cpu", precision="float32")
    for strength in (0.5, 1.0, 1.5, 2.0):
        written = np.asarray(Image.open(f"a_s{strength:.2f}_denoised.png"))
        np.testing.assert_array_equal(written, model(grey, strength).image)


def test_known_noise(denoise: Denoise) -> None:
    _, out, _ = denoise("a.png", "--sigma", "30", "--json")
    document = json.loads(out)["files"][0]
    assert (document["sigma"], document["chosen_steps"]) == (30.0, pytest.approx(3.0))  # halfway from 10 to 50


def test_tiles_of_a_size(denoise: Denoise) -> None:
    denoise("a.png")
    _, out, _ = denoise("a.png", "--tile", "32", "--json", "-o", "tiled.png")
    assert json.loads(out)["files"][0]["tiles"] == 4
    one, other = (np.asarray(Image.open(name)).astype(int) for name in ("a_denoised.png", "tiled.png"))
    assert np.abs(one - other).max() <= 1  # the promise: 1/255


def test_a_sheet_shows_before_after_and_difference(denoise: Denoise, grey: np.ndarray) -> None:
    code, _, err = denoise("a.png", "b.png", "--sheet", "sheet.png")
    assert code == 0
    assert err.rstrip().endswith("wrote sheet.png")
    sheet = np.asarray(Image.open("sheet.png"))
    top, left = 12 + 22, 12  # margin and caption
    np.testing.assert_array_equal(sheet[top : top + 37, left : left + 50], np.repeat(grey[..., None], 3, 2))
    after = np.asarray(Image.open("a_denoised.png"))
    second = left + 384 // 2 + 12
    np.testing.assert_array_equal(sheet[top : top + 37, second : second + 50, 0], after)


@pytest.mark.usefixtures("folder")
def test_pipes_carry_the_picture_and_nothing_else(
    grey_model: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path("a.png").read_bytes())))
    assert run(app, ["denoise", "-", "-o", "-", "--weights", str(grey_model), "--device", "cpu"]) == 0
    out, err = capsysbinary.readouterr()
    assert np.asarray(Image.open(io.BytesIO(out))).shape == (37, 50)
    assert err.startswith(b"-  50 x 37  8-bit")
    assert err.rstrip().endswith(b"-> -")


def test_settings_from_a_file(denoise: Denoise) -> None:
    Path("settings.toml").write_text('strength = 0.0\nsuffix = "_same"\n')
    assert denoise("a.png", "--config", "settings.toml")[0] == 0
    assert Path("a_same.png").read_bytes() == Path("a.png").read_bytes()


def test_files_are_restored_as_they_are_asked_for(denoise: Denoise, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(repair, "read_picture", lambda content, max_pixels: seen.append(content) or 1 / 0)
    assert denoise("b.png", "a.png")[0] == 70
    assert seen == [Path("b.png"), Path("a.png")]


def test_a_map_of_the_noise_is_told(denoise: Denoise, grey_model: Path) -> None:
    generator = np.random.default_rng(3)
    picture = (0.5 + np.linspace(0.01, 0.15, 96) * generator.standard_normal((96, 96))).astype(np.float32)
    tifffile.imwrite("growing.tif", picture)
    code, _, err = denoise("growing.tif", "--noise-map", "--report", "r.jsonl")
    assert code == 0
    assert "note: noise from " in err
    record = json.loads(Path("r.jsonl").read_text())
    assert record["fewest_steps"] < record["chosen_steps"] < record["most_steps"]
    model = Restorer.from_file(grey_model, device="cpu", precision="float32")
    np.testing.assert_array_equal(tifffile.imread("growing_denoised.tif"), model(picture, noise_map=True).image)
