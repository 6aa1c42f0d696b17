"""`denoise` where something is wrong: exit codes, words, and nothing half-written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from backbone.checkpoint import save_state
from durr.images.content import READABLE
from durr.restorer import Restorer

Denoise = Callable[..., tuple[int, str, str]]
Files = Callable[[], set[str]]


def test_a_folder_keeps_its_names_and_a_bad_file_stops_nobody(denoise: Denoise, files: Files) -> None:
    Path("bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    code, out, err = denoise(".", "-o", "out", "--recursive", "--report", "r.jsonl")
    assert (code, out) == (1, "")
    assert {name for name in files() if name.startswith("out/")} == {
        *("out/a.png", "out/b.png", "out/c.jpg", "out/deep/d.tif"),
    }
    assert "error[INPUT]: 'bad.png' is a PNG file, but damaged" in err
    assert "4 done, 1 failed, 0 skipped\n  failed: bad.png: 'bad.png' is a PNG file" in err
    records = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert [(record["input"], record["status"]) for record in records] == [
        ("a.png", "done"),
        ("b.png", "done"),
        ("bad.png", "failed"),
        ("c.jpg", "done"),
        ("deep/d.tif", "done"),
    ]
    assert records[2]["error"]["exit_code"] == 3
    # once more: only what is missing
    shutil.copy("a.png", "bad.png")
    code, _, err = denoise(".", "-o", "out", "--recursive", "--skip-existing")
    assert code == 0
    assert err.rstrip().endswith("1 done, 0 failed, 4 skipped")
    assert "out/bad.png" in files()


def test_ctrl_c_leaves_whole_files(denoise: Denoise, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Restorer.sweep
    calls = []

    def interrupted(*given: object, **named: object) -> object:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return sweep(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Restorer, "sweep", interrupted)
    before = files()
    code, _, err = denoise("a.png", "b.png", "c.jpg", "--report", "r.jsonl")
    assert code == 130
    assert "1 done, 0 failed, 0 skipped" in err
    assert files() == before | {"a_denoised.png", "r.jsonl"}
    assert len(Path("r.jsonl").read_text().splitlines()) == 1


def test_a_bug_or_a_lack_of_memory_in_one_file_stops_nobody(denoise: Denoise, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Restorer.sweep
    errors = iter([MemoryError("no more"), ValueError("unforeseen"), None])

    def failing(*given: object, **named: object) -> object:
        error = next(errors)
        if error is not None:
            raise error
        return sweep(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Restorer, "sweep", failing)
    code, _, err = denoise("a.png", "b.png", "c.jpg", "--quiet")
    assert code == 1
    assert "error[RESOURCE]: out of memory" in err
    assert "error[INTERNAL]: this is our mistake: ValueError: unforeseen" in err
    assert Path("c_denoised.jpg").exists()
    errors = iter([ValueError("unforeseen")])
    code, _, err = denoise("a.png", "--debug")
    assert code == 70
    assert "Traceback" in err


@pytest.fixture
def bad_inputs(folder: Path, grey: np.ndarray) -> None:
    """Files that are no pictures, damaged, not finite, several in one, or in the way."""
    Path("text.png").write_text("no picture")
    Path("cut.png").write_bytes(Path("a.png").read_bytes()[:300])
    tifffile.imwrite("nan.tif", np.full((4, 4), np.nan, np.float32))
    Image.fromarray(grey).save("a.jpg")
    Image.fromarray(grey).save("there_denoised.png")
    Image.fromarray(grey).save("there.png")
    frames = [Image.fromarray(grey), Image.fromarray(grey[::-1])]
    frames[0].save("film.webp", save_all=True, append_images=frames[1:])
    tifffile.imwrite("sixteen.tif", np.zeros((4, 4), np.uint16))


@pytest.mark.usefixtures("bad_inputs")
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["none.png"], 3, "cannot find 'none.png'"),
        (["text.png"], 3, f"is not a picture; readable: {READABLE}"),
        (["cut.png"], 3, "damaged or truncated"),
        (["nan.tif"], 3, "NaN"),
        (["film.webp"], 3, "holds 2 frames"),
        (["a.png", "--max-pixels", "1000"], 3, "above the limit"),
        (["deep"], 0, "deep/d_denoised.tif"),
        (["a.png", "a.jpg", "--format", "png"], 2, "would both be written to"),
        (["a.png", "b.png", "-o", "one.png"], 2, "2 inputs and one output"),
        (["there.png"], 4, "'there_denoised.png' exists"),
        (["a.png", "-o", "a.png", "--overwrite"], 4, "would overwrite the input"),
        (["a.png", "-o", "nowhere/a.png"], 4, "there is no folder"),
        (["sixteen.tif", "--format", "jpeg"], 2, "JPEG cannot hold 16-bit samples"),
        (["b.png", "--format", "jpeg"], 2, "JPEG cannot hold the alpha channel"),
        (["a.png", "--sigma", "-3"], 2, "noise of -3"),
        (["a.png", "--sigma", "much"], 2, "'much' is no number"),
        (["a.png", "--strength", "3"], 2, "strength 3 is outside 0 ... 2"),
        (["a.png", "--strength", "1", "--sweep", "3"], 2, "--sweep takes strengths of its own"),
        (["a.png", "--sweep", "3", "-o", "one.png"], 2, "outputs of each input and one output"),
        (["a.png", "--tile", "7"], 2, "tiles of 7 pixels"),
        (["a.png", "--tile", "64.5"], 2, "'64.5' is no whole number"),
        (["a.png", "--axes", "XY"], 2, "'XY' are no axes of pictures"),
        (["a.png", "--format", "gif"], 2, "'gif' is not a format"),
        (["a.png", "--skip-existing", "--overwrite"], 2, "to skip or to replace?"),
        (["a.png", "--sheet", "b.png"], 4, "b.png exists"),
        (["a.png", "--report", "none/r.jsonl"], 4, "there is no folder 'none'"),
        (["a.png", "-o", "-", "--json"], 2, "both want stdout"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exit_codes(words: list[str], code: int, told: str, denoise: Denoise, files: Files) -> None:
    before = files()
    got, out, err = denoise(*words)
    assert (got, out if "--json" not in words else "") == (code, "")
    assert told in err
    if code:
        assert err.startswith("error[")
        assert "\n  where: " in err
        assert "\n  try: " in err
        assert files() == before  # nothing half-written


def test_models_that_cannot_be_used(denoise: Denoise, grey_model: Path, tmp_path: Path, files: Files) -> None:
    damaged, foreign, pickled = (
        tmp_path / name for name in ("damaged.safetensors", "foreign.safetensors", "model.pth")
    )
    damaged.write_bytes(grey_model.read_bytes()[:-7])
    save_state(foreign, {"step": 1}, kind="pdenet")
    pickled.write_bytes(b"\x80\x04anything")
    for weights in (damaged, foreign, pickled, tmp_path / "none.safetensors"):
        code, out, err = denoise("a.png", weights=weights)
        assert (code, out) == (7, "")
        assert err.startswith("error[MODEL]: ")
    assert files() == {"a.png", "b.png", "c.jpg", "deep/d.tif"}


def test_a_full_disk_leaves_nothing_behind(denoise: Denoise, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("durr.images.writer.write_atomic", full)
    before = files()
    code, _, err = denoise("a.png")
    assert code == 4
    assert "No space left on device; nothing half-written remains" in err
    assert files() == before


def test_all_failed_for_one_reason_has_its_code(denoise: Denoise) -> None:
    for name in ("x.png", "y.png"):
        Path(name).write_text("no picture")
    assert denoise("x.png", "y.png")[0] == 3
    assert denoise("x.png", "y.png", "a.png")[0] == 1
