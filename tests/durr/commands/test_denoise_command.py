"""`pdenet-durr denoise` as a user runs it: what it writes, what it tells, and its exit codes."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from pdenet_durr_cli import app
from PIL import Image

from backbone.checkpoint import save_state
from backbone.commands.shell import run
from durr.batch import run as batch
from durr.images.content import READABLE
from durr.restorer import Restorer

RNG = np.random.default_rng(11)
GREY = RNG.integers(0, 256, (37, 50), dtype=np.uint8)
RGBA = RNG.integers(0, 256, (21, 30, 4), dtype=np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a few pictures, away from the model."""
    place = tmp_path / "work"
    (place / "deep").mkdir(parents=True)
    monkeypatch.chdir(place)
    Image.fromarray(GREY).save("a.png")
    Image.fromarray(RGBA).save("b.png", dpi=(300, 300))
    Image.fromarray(GREY).save("c.jpg", quality=85)
    Image.fromarray(GREY).save("deep/d.tif")
    return place


@pytest.fixture
def denoise(grey_model: Path, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """denoise(words...) -> exit code, stdout, stderr; with the tiny grey model unless told otherwise."""

    def call(*words: str, weights: Path | None = grey_model) -> tuple[int, str, str]:
        model = [] if weights is None else ["--weights", str(weights)]
        code = run(app, ["denoise", *words, *model, "--device", "cpu", "--precision", "float32"])
        return code, *capsys.readouterr()

    return call


def files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


def test_a_picture_is_restored_beside_itself(denoise, grey_model: Path, folder: Path) -> None:
    code, out, err = denoise("a.png")
    assert (code, out) == (0, "")
    assert err.startswith("a.png  50 x 37  8-bit  noise ")
    assert "  steps 3  " in err
    assert err.rstrip().splitlines()[0].endswith(" s/MP  -> a_denoised.png")
    expected = Restorer.from_file(grey_model, device="cpu", precision="float32")(GREY).image
    np.testing.assert_array_equal(np.asarray(Image.open("a_denoised.png")), expected)
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), GREY)  # the input stays


def test_alpha_and_metadata_come_back(denoise) -> None:
    assert denoise("b.png", "-o", "new.png", "--quiet") == (0, "", "")
    with Image.open("new.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 3], RGBA[..., 3])
        assert not np.array_equal(np.asarray(image)[..., :3], RGBA[..., :3])
        assert image.info["dpi"] == pytest.approx((300, 300), rel=1e-3)  # PNG counts pixels per metre


def test_strength_0_gives_the_same_file(denoise) -> None:
    for name in ("a.png", "b.png", "c.jpg", "deep/d.tif"):
        assert denoise(name, "--strength", "0", "-o", "out")[0] == 0
        assert Path("out", Path(name).name).read_bytes() == Path(name).read_bytes()
    assert denoise("c.jpg", "--strength", "0", "-o", "c.png")[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open("c.png")), np.asarray(Image.open("c.jpg")))


def test_sixteen_bits_and_floats_stay_what_they_are(denoise) -> None:
    tifffile.imwrite("deep16.tif", RNG.integers(0, 65536, (20, 20), dtype=np.uint16))
    tifffile.imwrite("float.tif", RNG.uniform(-0.5, 2, (20, 20, 3)).astype(np.float32), photometric="rgb")
    code, _, err = denoise("deep16.tif", "float.tif")
    assert code == 0
    assert "16-bit" in err
    assert "32-bit float" in err
    assert tifffile.imread("deep16_denoised.tif").dtype == np.uint16
    restored = tifffile.imread("float_denoised.tif")
    assert restored.dtype == np.float32
    assert restored.max() > 1  # not clipped


def test_a_folder_keeps_its_names_and_a_bad_file_stops_nobody(denoise, folder: Path) -> None:
    Path("bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    code, out, err = denoise(".", "-o", "out", "--recursive", "--report", "r.jsonl")
    assert (code, out) == (1, "")
    assert files(folder / "out") == {"a.png", "b.png", "c.jpg", "deep/d.tif"}
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
    Image.fromarray(GREY).save("bad.png")
    code, _, err = denoise(".", "-o", "out", "--recursive", "--skip-existing")
    assert code == 0
    assert err.rstrip().endswith("1 done, 0 failed, 4 skipped")
    assert "out/bad.png" in files(folder)


def test_one_document(denoise) -> None:
    code, out, err = denoise("a.png", "b.png", "--json", "--quiet")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert document["totals"] == {"done": 2, "failed": 0, "skipped": 0}
    first, second = document["files"]
    assert first["outputs"] == [{"output": "a_denoised.png", "strength": 1.0, "steps": 3.0}]
    assert (first["width"], first["height"], first["channels"], first["depth"], first["pages"]) == (
        50, 37, 1, "8-bit", 1,
    )  # fmt: skip
    assert first["seconds"] == pytest.approx(first["s_per_mp"] * 50 * 37 / 1e6)
    assert second["channels"] == 3
    assert second["notes"] == ["grey model: the channels are restored one by one"]


def test_the_ensemble_is_written(denoise, grey_model: Path) -> None:
    assert denoise("a.png", "--ensemble")[0] == 0
    model = Restorer.from_file(grey_model, device="cpu", precision="float32", ensemble=True)
    written = np.asarray(Image.open("a_denoised.png"))
    assert np.array_equal(written, model(GREY).image)


def test_a_sweep_writes_every_strength_from_one_pass(denoise, grey_model: Path) -> None:
    assert denoise("a.png", "--sweep", "4")[0] == 0
    model = Restorer.from_file(grey_model, device="cpu", precision="float32")
    for strength in (0.5, 1.0, 1.5, 2.0):
        written = np.asarray(Image.open(f"a_s{strength:.2f}_denoised.png"))
        np.testing.assert_array_equal(written, model(GREY, strength).image)


def test_known_noise(denoise) -> None:
    _, out, _ = denoise("a.png", "--sigma", "30", "--json")
    document = json.loads(out)["files"][0]
    assert (document["sigma"], document["chosen_steps"]) == (30.0, pytest.approx(3.0))  # halfway from 10 to 50


def test_tiles_of_a_size(denoise) -> None:
    denoise("a.png")
    _, out, _ = denoise("a.png", "--tile", "32", "--json", "-o", "tiled.png")
    assert json.loads(out)["files"][0]["tiles"] == 4
    one, other = (np.asarray(Image.open(name)).astype(int) for name in ("a_denoised.png", "tiled.png"))
    assert np.abs(one - other).max() <= 1  # the promise: 1/255


def test_a_sheet_shows_before_after_and_difference(denoise) -> None:
    code, _, err = denoise("a.png", "b.png", "--sheet", "sheet.png")
    assert code == 0
    assert err.rstrip().endswith("wrote sheet.png")
    sheet = np.asarray(Image.open("sheet.png"))
    top, left = 12 + 22, 12  # margin and caption
    np.testing.assert_array_equal(sheet[top : top + 37, left : left + 50], np.repeat(GREY[..., None], 3, 2))
    after = np.asarray(Image.open("a_denoised.png"))
    second = left + 384 // 2 + 12
    np.testing.assert_array_equal(sheet[top : top + 37, second : second + 50, 0], after)


def test_pages_of_a_stack(denoise, grey_model: Path) -> None:
    volume = RNG.integers(0, 65536, (3, 20, 24), dtype=np.uint16)
    tifffile.imwrite("stack.tif", volume, imagej=True)
    code, _, err = denoise("stack.tif")
    assert code == 3
    assert "holds 3 pages" in err
    assert "--axes TYX" in err
    code, _, err = denoise("stack.tif", "--axes", "TYX")
    assert code == 0
    assert "24 x 20 x 3 pages" in err
    model = Restorer.from_file(grey_model, device="cpu", precision="float32")
    expected = np.stack([model(page).image for page in volume])
    np.testing.assert_array_equal(tifffile.imread("stack_denoised.tif"), expected)
    assert denoise("stack.tif", "--axes", "TYX", "--format", "png")[0] == 2


def test_pipes_carry_the_picture_and_nothing_else(
    grey_model: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path("a.png").read_bytes())))
    assert run(app, ["denoise", "-", "-o", "-", "--weights", str(grey_model), "--device", "cpu"]) == 0
    out, err = capsysbinary.readouterr()
    assert np.asarray(Image.open(io.BytesIO(out))).shape == (37, 50)
    assert err.startswith(b"-  50 x 37  8-bit")
    assert err.rstrip().endswith(b"-> -")


def test_ctrl_c_leaves_whole_files(denoise, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Restorer.sweep
    calls = []

    def interrupted(*given: object, **named: object) -> object:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return sweep(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Restorer, "sweep", interrupted)
    before = files(folder)
    code, _, err = denoise("a.png", "b.png", "c.jpg", "--report", "r.jsonl")
    assert code == 130
    assert "1 done, 0 failed, 0 skipped" in err
    assert files(folder) == before | {"a_denoised.png", "r.jsonl"}
    assert len(Path("r.jsonl").read_text().splitlines()) == 1


def test_a_bug_or_a_lack_of_memory_in_one_file_stops_nobody(denoise, monkeypatch: pytest.MonkeyPatch) -> None:
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


def bad_inputs(place: Path) -> None:
    Path("text.png").write_text("no picture")
    Path("cut.png").write_bytes(Path("a.png").read_bytes()[:300])
    tifffile.imwrite("nan.tif", np.full((4, 4), np.nan, np.float32))
    Image.fromarray(GREY).save("a.jpg")
    Image.fromarray(GREY).save("there_denoised.png")
    Image.fromarray(GREY).save("there.png")
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1])]
    frames[0].save("film.webp", save_all=True, append_images=frames[1:])
    tifffile.imwrite("sixteen.tif", np.zeros((4, 4), np.uint16))


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
def test_exit_codes(words: list[str], code: int, told: str, denoise, folder: Path) -> None:
    bad_inputs(folder)
    before = files(folder)
    got, out, err = denoise(*words)
    assert (got, out if "--json" not in words else "") == (code, "")
    assert told in err
    if code:
        assert err.startswith("error[")
        assert "\n  where: " in err
        assert "\n  try: " in err
        assert files(folder) == before  # nothing half-written


def test_a_wrong_name_is_told_and_the_content_read(denoise) -> None:
    Path("a.png").rename("named.jpg")
    code, _, err = denoise("named.jpg", "-o", "out.png")
    assert code == 0
    assert "note: named like JPEG, but the content is PNG: read as PNG" in err


def test_models_that_cannot_be_used(denoise, grey_model: Path, tmp_path: Path) -> None:
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
    assert files(Path()) == {"a.png", "b.png", "c.jpg", "deep/d.tif"}


def test_a_full_disk_leaves_nothing_behind(denoise, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("durr.images.writer.write_atomic", full)
    before = files(folder)
    code, _, err = denoise("a.png")
    assert code == 4
    assert "No space left on device; nothing half-written remains" in err
    assert files(folder) == before


def test_all_failed_for_one_reason_has_its_code(denoise) -> None:
    for name in ("x.png", "y.png"):
        Path(name).write_text("no picture")
    assert denoise("x.png", "y.png")[0] == 3
    assert denoise("x.png", "y.png", "a.png")[0] == 1


def test_settings_from_a_file(denoise) -> None:
    Path("settings.toml").write_text('strength = 0.0\nsuffix = "_same"\n')
    assert denoise("a.png", "--config", "settings.toml")[0] == 0
    assert Path("a_same.png").read_bytes() == Path("a.png").read_bytes()


def test_files_are_restored_as_they_are_asked_for(denoise, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(batch, "read_picture", lambda content, max_pixels: seen.append(content) or 1 / 0)
    assert denoise("b.png", "a.png")[0] == 70
    assert seen == [Path("b.png"), Path("a.png")]
