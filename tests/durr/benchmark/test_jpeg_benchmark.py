"""`bench dejpeg` and `bench restore`: what is compressed, what it is compared with, and the tables of both tasks."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pdenet_durr_cli import app
from PIL import Image
from skimage import data
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from backbone.commands.shell import run
from backbone.errors import UsageError
from durr.benchmark.jpeg_protocol import JpegProtocol, both_kinds, luma_of
from durr.benchmark.picture_set import PictureSet
from durr.benchmark.protocol import GRADES, Protocol, grade_of, task_of
from durr.metrics import psnr_b

COLOUR = PictureSet(name="small", colour=True, pictures=(data.coffee()[100:148, 200:264], data.astronaut()[:40, :56]))
Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(jpeg_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """bench(words...) of dejpeg on one sample picture and the tiny grey model -> exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        given = ["--images", "1", "--weights", str(jpeg_model), "--out", str(tmp_path / "dejpeg.json"), "--quiet"]
        code = run(app, ["bench", "dejpeg", *given, *words])
        return code, *capsys.readouterr()

    return call


def test_luma_is_that_of_matlab() -> None:
    luma = luma_of(COLOUR)
    assert (luma.title, luma.colour, COLOUR.title) == ("small luma", False, "small colour")
    for plane, picture in zip(luma.pictures, COLOUR.pictures, strict=True):
        np.testing.assert_array_equal(plane, np.rint(rgb2ycbcr(picture)[..., 0]))  # scikit-image follows MATLAB
    grey = PictureSet(name="g", colour=False, pictures=(data.camera(),))
    assert luma_of(grey).pictures[0] is grey.pictures[0]


def test_pictures_are_compressed_by_pillow() -> None:
    protocol = JpegProtocol()
    assert isinstance(protocol, Protocol)
    for pictures in (COLOUR, luma_of(COLOUR)):
        for degraded, clean in zip(protocol.degraded(pictures.pictures, 20.0), pictures.pictures, strict=True):
            file = io.BytesIO()
            Image.fromarray(clean).save(file, "JPEG", quality=20)  # Pillow takes 4:2:0 by itself
            np.testing.assert_array_equal(degraded, np.asarray(Image.open(file)))


def test_the_scores_are_those_of_the_rounded_picture() -> None:
    clean = luma_of(COLOUR).pictures[0]
    restored = clean / np.float32(255) + np.float32(0.3 / 255)
    scores = JpegProtocol().scores(restored, clean)
    assert scores == {"psnr": np.inf, "psnr_b": scores["psnr_b"], "ssim_gaussian": 1.0}
    (degraded,) = JpegProtocol().degraded([clean], 10.0)
    scores = JpegProtocol().scores(degraded / 255, clean)
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    assert scores["psnr"] == pytest.approx(peak_signal_noise_ratio(clean, degraded.astype(np.uint8)), rel=1e-12)
    found = structural_similarity(clean.astype(float), degraded, data_range=255.0, **gaussian)
    assert scores["ssim_gaussian"] == pytest.approx(found, rel=1e-12)
    assert scores["psnr_b"] == psnr_b(degraded, clean, 255.0) < scores["psnr"]


def test_both_kinds_or_one_of_them() -> None:
    titles = {choice: [one.title for one in both_kinds([COLOUR], choice)] for choice in (None, True, False)}
    assert titles == {None: ["small luma", "small colour"], True: ["small colour"], False: ["small luma"]}
    grey = PictureSet(name="g", colour=False, pictures=(data.camera(),))
    assert [one.title for one in both_kinds([grey], None)] == ["g luma"]
    with pytest.raises(UsageError, match="no colour in g grey"):
        both_kinds([grey], True)


def test_rows_know_their_task() -> None:
    assert {task_of({name: 10.0}) for name in GRADES.values()} == {"denoise", "dejpeg"}
    assert grade_of({"quality": 10.0}) == ("quality", 10.0)


def test_the_command_measures_and_prints_one_document(bench: Bench, tmp_path: Path) -> None:
    code, out, _ = bench("--qualities", "10,40", "--methods", "ours,jpeg", "--luma", "--json")
    assert code == 0
    document = json.loads(out)
    assert list(document["rows"]) == [f"skimage[:1] luma jpeg quality {quality}" for quality in (10, 40)]
    row = document["rows"]["skimage[:1] luma jpeg quality 10"]
    ours = row["methods"]["ours"]
    assert (row["quality"], ours["steps"], ours["quality_estimate"]) == (10.0, 3.0, 10.0)
    assert ours["psnr"] == pytest.approx(ours["psnr_by_step"][3], abs=0.01)  # the path is not rounded on the way
    assert {"psnr_b", "ssim_gaussian", "s_per_mp", "oracle_psnr", "model"} <= ours.keys()
    assert document["policy"]["skimage[:1] luma"]["grades"] == [10.0, 40.0]
    assert json.loads((tmp_path / "dejpeg.json").read_text())["rows"] == document["rows"]


def test_luma_and_colour_are_measured_unless_told_otherwise(bench: Bench) -> None:
    code, out, _ = bench("--qualities", "10", "--methods", "jpeg")
    assert code == 0
    assert out.startswith("skimage[:1] luma, jpeg, 1 pictures\n  PSNR in dB\n    quality     10\n    jpeg ")
    assert "\nskimage[:1] colour, jpeg, 1 pictures\n" in out
    assert "PSNR-B in dB" in out


@pytest.mark.parametrize(
    "words", [["--qualities", "0"], ["--qualities", "10,best"], ["--methods", "tv"]], ids=lambda words: words[1]
)
def test_a_wrong_word_is_an_error_before_any_work(bench: Bench, words: list[str], tmp_path: Path) -> None:
    code, _, err = bench(*words)
    assert code == 2
    assert err.startswith("error[USAGE]")
    assert not (tmp_path / "dejpeg.json").exists()


def test_a_denoisers_weights_are_refused(bench: Bench, grey_model: Path) -> None:
    code, _, err = bench("--weights", str(grey_model))
    assert code == 7
    assert "this file holds a denoiser" in err


def test_both_tasks_are_printed_as_they_were_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "restore"]
    for task, grade, given in (("denoise", "sigma", "noisy"), ("dejpeg", "quality", "jpeg")):
        methods = {"ours": {"psnr": 30.0}, given: {"psnr": 28.5}}
        row = {"set": "s grey", "protocol": "p", "images": 2, grade: 10.0, "methods": methods}
        (tmp_path / f"{task}.json").write_text(json.dumps({"suite": task, "rows": {"r": row}}))
        words += [f"--{task}", str(tmp_path / f"{task}.json")]
    assert run(app, words) == 0
    out = capsys.readouterr().out
    assert out.count("s grey, p, 2 pictures") == 2
    assert out.count("  PSNR gained by ours, in dB: +1.50") == 2
    assert "    sigma     10\n" in out
    assert "    quality     10\n" in out
    assert run(app, [*words, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"denoise", "dejpeg"}
    assert run(app, ["bench", "restore", "--denoise", str(tmp_path / "none.json")]) == 3
    assert "pdenet-durr bench denoise --data FOLDER" in capsys.readouterr().err
