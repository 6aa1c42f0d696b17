"""`pdenet-durr dejpeg` as a user runs it: what it finds, what it writes, what it warns of."""

from __future__ import annotations

import inspect
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data
from pdenet_durr_cli import app
from PIL import Image

from backbone.commands.shell import run
from durr import restorer
from durr.commands.dejpeg import dejpeg as dejpeg_command
from durr.commands.denoise import denoise as denoise_command
from durr.model import RestorationModel
from durr.restorer import Restorer

Call = Callable[..., tuple[int, str, str]]
MakeModel = Callable[..., RestorationModel]


@pytest.fixture
def photograph(folder: Path) -> Image.Image:
    """Colour, 180 x 120, never compressed; p.jpg is its JPEG of quality 30."""
    picture = Image.fromarray(skimage.data.coffee()).resize((180, 120), Image.Resampling.LANCZOS)
    picture.save("p.jpg", quality=30)
    return picture


def test_a_jpeg_becomes_a_png_beside_it(dejpeg: Call, jpeg_model: Path, photograph: Image.Image) -> None:
    code, out, err = dejpeg("p.jpg")
    assert (code, out) == (0, "")
    assert err.startswith("p.jpg  180 x 120  8-bit  quality 30 by its tables  grid 0,0  steps 3  ")
    assert err.splitlines()[0].endswith(" s/MP  -> p_restored.png")
    picture = Image.open("p.jpg")
    model = Restorer.from_file(jpeg_model, device="cpu", precision="float32")
    written = Image.open("p_restored.png")
    assert written.format == "PNG"
    np.testing.assert_array_equal(np.asarray(written), model(np.asarray(picture)).image)


def test_the_document_tells_what_was_found(dejpeg: Call, photograph: Image.Image) -> None:
    Image.open("p.jpg").crop((5, 3, 180, 120)).save("q.png")
    code, out, _ = dejpeg("p.jpg", "q.png", "--json", "--report", "report.jsonl")
    assert code == 0
    first, second = json.loads(out)["files"]
    assert (first["quality"], first["quality_from"], first["grid"]) == (30, "tables", [0, 0])
    assert (second["quality"], second["quality_from"], second["grid"]) == (30, "pixels", [5, 3])
    assert first["chosen_steps"] == 3.0
    assert "sigma" not in first
    assert [json.loads(line) for line in Path("report.jsonl").read_text().splitlines()] == [first, second]


def test_grey_goes_to_the_luma_model_and_colour_to_the_other(
    dejpeg: Call, photograph: Image.Image, make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restorer, "WEIGHTS", tmp_path)
    make_model(1, task="dejpeg", steps=2).save(tmp_path / "dejpeg_grey.safetensors")
    make_model(3, task="dejpeg", steps=4).save(tmp_path / "dejpeg_colour.safetensors")
    photograph.convert("L").save("g.jpg", quality=30)
    code, out, _ = dejpeg("p.jpg", "g.jpg", "--json", weights=None)
    assert code == 0
    colour, grey = json.loads(out)["files"]
    assert (colour["chosen_steps"], grey["chosen_steps"]) == (4.0, 2.0)
    assert not any("model:" in note for file in (colour, grey) for note in file["notes"])  # each has met its own


def test_a_told_quality_sets_the_steps(dejpeg: Call, photograph: Image.Image) -> None:
    _, out, _ = dejpeg("p.jpg", "--quality", "90", "--json")
    file = json.loads(out)["files"][0]
    assert (file["quality"], file["quality_from"]) == (90, "option")
    # the levels of the tiny model: 1 step at 10/255, 5 at 50/255; quality 90 is level 0.1
    assert file["chosen_steps"] == pytest.approx(1 + 4 * (0.1 - 10 / 255) / (40 / 255))


def test_what_was_hardly_compressed_is_copied(dejpeg: Call, photograph: Image.Image) -> None:
    photograph.save("fine.jpg", quality=98)
    code, _, err = dejpeg("fine.jpg")
    assert code == 0
    assert "note: quality 98: nothing to repair, copied unchanged" in err
    np.testing.assert_array_equal(np.asarray(Image.open("fine_restored.png")), np.asarray(Image.open("fine.jpg")))
    assert dejpeg("fine.jpg", "--format", "keep")[0] == 0
    assert Path("fine_restored.jpg").read_bytes() == Path("fine.jpg").read_bytes()


def test_pictures_without_blocks_are_told_from_resized_ones(dejpeg: Call, photograph: Image.Image) -> None:
    photograph.save("clean.png")
    photograph.save("small.jpg", quality=10)
    Image.open("small.jpg").resize((270, 180), Image.Resampling.BICUBIC).save("large.png")
    code, out, _ = dejpeg("clean.png", "large.png", "--json")
    assert code == 0
    clean, large = json.loads(out)["files"]
    assert clean["notes"][0].startswith("no trace of JPEG compression")
    np.testing.assert_array_equal(np.asarray(Image.open("clean_restored.png")), np.asarray(photograph))
    assert large["notes"][0].startswith("breaks every 12.0 pixels, not 8: resized after compression?")
    assert large["chosen_steps"] == 3.0


def test_writing_jpeg_again_warns_and_takes_fine_tables(dejpeg: Call, photograph: Image.Image) -> None:
    code, _, err = dejpeg("p.jpg", "-o", "again.jpg")
    assert code == 0
    assert "note: written as JPEG again, which loses part of what was gained" in err
    photograph.save("fine.jpg", quality=95)
    with Image.open("again.jpg") as again, Image.open("fine.jpg") as fine:
        assert again.quantization == fine.quantization


def test_a_file_that_was_cut_off_gives_what_is_there(dejpeg: Call, photograph: Image.Image) -> None:
    content = Path("p.jpg").read_bytes()
    Path("cut.jpg").write_bytes(content[: len(content) * 2 // 3])
    code, out, _ = dejpeg("cut.jpg", "p.jpg", "--json")
    assert code == 1
    document = json.loads(out)
    assert document["totals"] == {"done": 1, "partial": 1, "failed": 0, "skipped": 0}
    assert document["files"][0]["status"] == "partial"
    assert "truncated" in document["files"][0]["notes"][0]
    cut, whole = (np.asarray(Image.open(name)) for name in ("cut_restored.png", "p_restored.png"))
    apart = np.abs(cut[:48].astype(int) - whole[:48])  # a step looks 18 rows down, where the file ends
    assert apart.max() <= 3
    assert (apart <= 1).mean() > 0.999
    Path("head.jpg").write_bytes(content[:100])
    assert dejpeg("head.jpg")[0] == 3  # nothing can be decoded


def test_orientation_is_neither_applied_nor_lost(dejpeg: Call, photograph: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    photograph.save("turned.jpg", quality=30, exif=exif)
    assert dejpeg("turned.jpg", "p.jpg")[0] == 0
    turned, upright = (Image.open(name) for name in ("turned_restored.png", "p_restored.png"))
    assert turned.getexif()[0x0112] == 6
    np.testing.assert_array_equal(np.asarray(turned), np.asarray(upright))


def test_options_are_those_of_denoise() -> None:
    names = [set(inspect.signature(command).parameters) for command in (dejpeg_command, denoise_command)]
    assert names[0] - names[1] == {"quality"}
    assert names[1] - names[0] == {"sigma", "noise_map"}


def test_pipes(
    jpeg_model: Path,
    photograph: Image.Image,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path("p.jpg").read_bytes())))
    assert run(app, ["dejpeg", "-", "-o", "-", "--weights", str(jpeg_model), "--device", "cpu"]) == 0
    out, err = capsysbinary.readouterr()
    assert Image.open(io.BytesIO(out)).format == "PNG"
    assert err.startswith(b"-  180 x 120  8-bit  quality 30 by its tables")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--quality", "0"], 2, "--quality auto, or 1 ... 100"),
        (["--quality", "good"], 2, "--quality auto"),
        (["--sigma", "25"], 2, "--sigma"),
        (["--strength", "3"], 2, "outside 0 ... 2"),
        (["--tile", "8"], 2, "tiles of 8 pixels"),
        (["-o", "x.png", "--format", "jpeg"], 2, "leave out --format"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_words(dejpeg: Call, photograph: Image.Image, words: list[str], code: int, told: str) -> None:
    found, _, err = dejpeg("p.jpg", *words)
    assert found == code
    assert told in err


def test_models_of_the_other_task_are_refused(
    dejpeg: Call, denoise: Call, photograph: Image.Image, grey_model: Path, jpeg_model: Path
) -> None:
    code, _, err = dejpeg("p.jpg", weights=grey_model)
    assert code == 7
    assert "this file holds a denoiser" in err
    assert "train dejpeg" in err
    code, _, err = denoise("p.jpg", weights=jpeg_model)
    assert code == 7
    assert "this file holds a JPEG restorer" in err
