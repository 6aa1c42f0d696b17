"""The rows of the benchmark: every method's figures, the worth of the policy by hand, the record and the command."""

from __future__ import annotations

import hashlib
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pdenet_durr_cli import app
from skimage import data

from backbone.commands.shell import run
from backbone.errors import OutputError, UsageError
from backbone.record import Record
from durr.benchmark.answer import Answer
from durr.benchmark.methods import DEFAULT, NAMES, build_methods, choose_methods
from durr.benchmark.noise_protocol import NoiseProtocol
from durr.benchmark.picture_set import PictureSet
from durr.benchmark.policy import compare_policy
from durr.benchmark.run import Settings, Talkers, check_sets, row_name, run_sets
from durr.benchmark.summary import table_lines
from durr.benchmark.tally import TIMED_PICTURES, Tally, along_the_path
from durr.metrics import psnr
from durr.model import RestorationModel
from durr.restorer import Restorer
from durr.stopping import FixedSteps
from durr.unfold import unfold
from durr.unit import RestorationUnit

FLOAT = NoiseProtocol(eight_bit=False)
CLEAN = (
    data.camera()[200:248, 200:264],
    data.camera()[:40, :56],
    data.camera()[300:340, 100:156],
    data.moon()[:40, :40],
)
GREY = PictureSet(name="small", colour=False, pictures=CLEAN)


def small_restorer(gain: float = 1.0) -> Restorer:
    """Untrained, it always stops after two of four steps. gain: of all its weights."""
    unit = RestorationUnit(1, features=8, inner=4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weights in unit.parameters():
            weights.mul_(gain)
    model = RestorationModel(
        task="denoise", unit=unit, rule=FixedSteps(2), max_steps=4, trained=(0.0, 0.2), levels=((0.1, 2.0),)
    )
    return Restorer(models=(model,), device=torch.device("cpu"), precision=torch.float32)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    small_restorer().models[0].save(path)
    return path


def settings(weights: Path, **changes: Any) -> Settings:
    given = {
        "protocol": FLOAT,
        "grades": (15.0, 50.0),
        "methods": ("ours", "noisy"),
        "conditions": {"device": "cpu", "threads": 1},
        "restorer": small_restorer(),
        "weights": weights,
    }
    return Settings(**(given | changes))


def silent(text: str) -> None: ...


def measured(chosen: Settings, tmp_path: Path) -> dict[str, Any]:
    """The rows of the record after a run."""
    record = Record(tmp_path / "denoise.json", "denoise", ("torch",))
    assert run_sets([GREY], chosen, record, Talkers(silent, silent))
    rows: dict[str, Any] = json.loads(record.path.read_text())["rows"]
    return rows


def test_methods_are_chosen_by_name_in_the_order_of_the_table() -> None:
    assert choose_methods(["tv", "noisy"], "denoise") == ("noisy", "tv")
    with pytest.raises(UsageError, match="'tvv' is no method") as caught:
        choose_methods(["tvv"], "denoise")
    assert caught.value.cure == "--methods tv"
    assert all(set(DEFAULT[task]) < set(NAMES[task]) for task in NAMES)


def test_a_row_holds_the_means_over_pictures(weights: Path, tmp_path: Path) -> None:
    row = measured(settings(weights), tmp_path)["small grey float sigma 50"]
    generator = np.random.default_rng(0)
    noisy = [clean + 50.0 * generator.standard_normal(clean.shape) for clean in CLEAN]
    expected = [psnr(image.clip(0, 255), clean, 255.0) for image, clean in zip(noisy, CLEAN, strict=True)]
    found = row["methods"]["noisy"]
    assert found["psnr"] == pytest.approx(np.mean(expected), abs=1e-5)  # methods are given float32
    assert (row["images"], row["sigma"], row["protocol"], row["set"]) == (4, 50.0, "float", "small grey")
    assert (found["images"], found["threads"], found["device"], "steps" in found) == (4, 1, "cpu", False)
    assert {"ssim", "ssim_gaussian", "s_per_mp", "cpu_s_per_mp"} <= found.keys()


def test_the_record_says_which_model_was_measured(weights: Path, tmp_path: Path) -> None:
    methods = measured(settings(weights), tmp_path)["small grey float sigma 15"]["methods"]
    assert methods["ours"]["model"] == {
        "file": "model.safetensors",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "parameters": small_restorer().models[0].parameters,
        "max_steps": 4,
        "precision": "float32",
    }
    assert "model" not in methods["noisy"]


def test_our_path_is_followed_to_its_end(weights: Path, tmp_path: Path) -> None:
    ours = measured(settings(weights), tmp_path)["small grey float sigma 15"]["methods"]["ours"]
    unit = small_restorer().models[0].unit
    paths = []
    for noisy, clean in zip(FLOAT.degraded(CLEAN, 15.0), CLEAN, strict=True):
        batch = torch.from_numpy((noisy / 255).astype(np.float32))[None, None]
        with torch.inference_mode():
            images = unfold(unit, batch, until=None, max_steps=4).images[:, 0, 0].double().numpy()
        paths.append([psnr(image.clip(0, 1) * 255.0, clean, 255.0) for image in images])
    # float32 sums in another order
    assert ours["psnr_by_step"] == pytest.approx(np.mean(paths, axis=0), abs=1e-4)
    assert ours["oracle_psnr"] == pytest.approx(np.max(paths, axis=1).mean(), abs=1e-4)
    assert ours["oracle_steps"] == np.argmax(paths, axis=1).mean()
    assert ours["psnr"] == pytest.approx(ours["psnr_by_step"][2], abs=1e-4)  # where the policy stopped
    assert (ours["steps"], ours["steps_range"]) == (2.0, [2.0, 2.0])
    assert ours["sigma_estimate"] == pytest.approx(15.0, rel=0.3)  # small pictures have few smooth blocks


def test_paths_of_different_lengths_have_the_steps_of_the_shortest() -> None:
    found = along_the_path([[20.0, 30.0, 25.0], [22.0, 24.0]])
    assert found == {"psnr_by_step": [21.0, 27.0], "oracle_psnr": 27.0, "oracle_steps": 1.0}
    assert along_the_path([[math.inf, 30.0]]) == {"psnr_by_step": [None, 30.0], "oracle_psnr": None, "oracle_steps": 0}


def row_of(sigma: float, policy: float, oracle: float, by_step: list[float]) -> dict[str, Any]:
    return {
        "sigma": sigma,
        "methods": {"ours": {"psnr": policy, "oracle_psnr": oracle, "psnr_by_step": by_step}, "noisy": {"psnr": 20.0}},
    }


def test_the_policy_beside_an_oracle_and_the_best_fixed_number_of_steps() -> None:
    rows = [row_of(15.0, 31.0, 31.2, [24.0, 31.0, 29.0]), row_of(50.0, 26.0, 26.0, [14.0, 20.0, 25.0, 26.0])]
    assert compare_policy(rows) == {
        "grades": [15.0, 50.0],
        "policy": 28.5,
        "oracle": pytest.approx(28.6, rel=1e-12),
        "best_fixed": 27.0,  # two steps: 29 and 25
        "best_fixed_steps": 2,
        "longest_fixed_steps": 2,
    }
    assert compare_policy([{"sigma": 15.0, "methods": {"noisy": {"psnr": 20.0}}}]) is None


def test_nets_that_are_only_timed_have_no_scores_and_see_few_pictures() -> None:
    methods = build_methods(("dncnn-b", "dncnn-b-bf16"), channels=1, restorer=None, device="cpu")
    for name, method in methods.items():
        tally = Tally(name, method, FLOAT)
        for _ in range(TIMED_PICTURES + 1):
            tally.add(CLEAN[1].astype(np.float64), CLEAN[1], 25.0)
        found = tally.results()
        assert found.keys() == {"images", "s_per_mp", "cpu_s_per_mp"}
        assert found["images"] == TIMED_PICTURES
        assert found["s_per_mp"] > 0.1  # 665 GMAC per MP on one thread


def test_reading_the_path_is_not_timed() -> None:
    def slow_path() -> np.ndarray:
        time.sleep(0.2)
        return np.zeros((1, 40, 56))

    tally = Tally("ours", lambda noisy, sigma: Answer(noisy, 1.0, 1.0, slow_path), FLOAT)
    tally.add(CLEAN[1].astype(np.float64), CLEAN[1], 25.0)
    assert tally.results()["s_per_mp"] < 0.2 / (40 * 56 / 1e6)


@pytest.mark.parametrize("channels", [1, 3])
def test_told_baselines_take_noise_away_and_leave_clean_pictures_alone(channels: int) -> None:
    clean = data.chelsea()[100:164, 120:184] / np.float32(255)
    clean = clean if channels == 3 else clean[..., 1].copy()
    noise = np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    for method in build_methods(("perona-malik", "tv", "nlm"), channels=channels, restorer=None, device="cpu").values():
        restored = method(clean + 25 / np.float32(255) * noise, 25 / 255).image
        assert psnr(restored, clean, 1.0) > 24  # the noisy picture has 20.2
        assert method(clean, 0.0).image is clean


def test_blind_baselines_estimate_the_noise() -> None:
    method = build_methods(("nlm-blind",), channels=1, restorer=None, device="cpu")["nlm-blind"]
    (noisy,) = FLOAT.degraded([data.camera()], 25.0)
    answer = method((noisy / 255).astype(np.float32), math.nan)
    assert answer.estimate == pytest.approx(
        25.0, rel=0.1
    )  # the median of finite many wavelet coefficients of a photograph
    assert psnr(answer.image * 255, data.camera(), 255.0) > 27


def test_without_noise_an_infinite_psnr_is_null(weights: Path, tmp_path: Path) -> None:
    chosen = settings(weights, grades=(0.0,), protocol=NoiseProtocol(eight_bit=True))
    row = measured(chosen, tmp_path)["small grey 8bit sigma 0"]
    assert row["methods"]["noisy"]["psnr"] is None
    assert row["methods"]["noisy"]["ssim"] == 1.0
    assert table_lines({"row": row})[4].split() == ["noisy", "inf"]


def test_every_row_is_saved_before_the_next_begins(weights: Path, tmp_path: Path) -> None:
    record = Record(tmp_path / "denoise.json", "denoise", ("torch",))
    seen: list[tuple[str, ...]] = []

    def watch(text: str) -> None:
        seen.append(tuple(json.loads(record.path.read_text())["rows"]) if record.path.exists() else ())

    run_sets([GREY], settings(weights), record, Talkers(silent, watch))
    assert seen == [()] * 4 + [("small grey float sigma 15",)] * 4


def test_a_method_that_fails_is_recorded_and_the_others_go_on(weights: Path, tmp_path: Path) -> None:
    record = Record(tmp_path / "denoise.json", "denoise", ("torch",))
    chosen = settings(weights, grades=(15.0,), restorer=small_restorer(gain=1e20))
    assert not run_sets([GREY], chosen, record, Talkers(silent, silent))
    methods = record.document["rows"]["small grey float sigma 15"]["methods"]
    assert methods["ours"]["error"].startswith("error[DIVERGED]: ")
    assert methods["noisy"]["images"] == 4
    assert table_lines(record.document["rows"])[-1].startswith("  ours failed at sigma 15: error[DIVERGED]")


def test_rows_of_other_pictures_are_not_mixed(weights: Path, tmp_path: Path) -> None:
    measured(settings(weights), tmp_path)
    record = Record(tmp_path / "denoise.json", "denoise", ("torch",))
    check_sets([GREY], settings(weights), record)
    other = PictureSet(name="small", colour=False, pictures=CLEAN[::-1])
    with pytest.raises(OutputError, match="'small grey' was measured on other pictures"):
        check_sets([other], settings(weights), record)
    check_sets([other], settings(weights, protocol=NoiseProtocol(eight_bit=True)), record)


def test_the_table_has_a_line_for_each_method_and_a_column_for_each_sigma(tmp_path: Path) -> None:
    ours = {"psnr": 30.0, "ssim": 0.9, "steps": 2.0, "s_per_mp": 1.0, "oracle_psnr": 30.1, "psnr_by_step": [20.0, 30.0]}
    facts = {"set": "small grey", "protocol": "float", "images": 4}
    rows = {
        "a": facts | {"sigma": 15.0, "methods": {"ours": ours, "tv": {"psnr": 28.123, "s_per_mp": 0.5}}},
        "b": facts | {"sigma": 50.0, "methods": {"tv": {"psnr": 24.0, "s_per_mp": 0.25}}},
    }
    assert table_lines(rows) == [
        "small grey, float, 4 pictures",
        "  PSNR in dB",
        "    sigma     15     50",
        "    ours   30.00      -",
        "    tv     28.12  24.00",
        "  SSIM, 7 x 7 windows",
        "    sigma      15  50",
        "    ours   0.9000   -",
        "  steps, mean",
        "    sigma   15  50",
        "    ours   2.0   -",
        "  seconds per megapixel, median",
        "    sigma    15    50",
        "    ours   1.00     -",
        "    tv     0.50  0.25",
        "  stopping, mean PSNR over this range of sigma: policy 30.00 dB, oracle 30.10 dB,"
        " best fixed number (1 steps) 30.00 dB",
    ]


def test_the_command_measures_and_prints_one_document(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results" / "denoise.json"
    words = ["bench", "denoise", "--images", "1", "--grey", "--8bit", "--sigmas", "15,50", "--methods", "ours,noisy"]
    assert run(app, [*words, "--weights", str(weights), "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document["rows"]) == [f"skimage[:1] grey 8bit sigma {sigma}" for sigma in (15, 50)]
    assert document["policy"]["skimage[:1] grey"]["grades"] == [15.0, 50.0]
    assert json.loads(out.read_text())["rows"] == document["rows"]
    assert document["rows"]["skimage[:1] grey 8bit sigma 15"]["methods"]["ours"]["model"]["max_steps"] == 4


def test_the_command_reads_folders_and_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    (tmp_path / "pictures").mkdir()
    Image.fromarray(CLEAN[0]).save(tmp_path / "pictures" / "a.png")
    words = ["bench", "denoise", "--data", str(tmp_path / "pictures"), "--methods", "noisy,tv", "--sigmas", "25"]
    assert run(app, [*words, "--out", str(tmp_path / "denoise.json"), "-q"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("pictures grey, float, 1 pictures\n  PSNR in dB\n    sigma     25\n    noisy  2")
    assert told.err == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--sigmas", "15,x"], 2),
        (["--sigmas", "-3"], 2),
        (["--sigmas", "inf"], 2),
        (["--methods", "bm3d"], 2),
        (["--device", "tpu"], 2),
        (["--images", "0"], 2),
        (["--data", "no-such-folder"], 3),
        (["--methods", "ours", "--weights", "no-such.safetensors"], 7),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_wrong_word_is_an_error_before_any_work(
    words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [] if "--methods" in words else ["--methods", "noisy"]
    assert run(app, ["bench", "denoise", *given, *words, "--out", str(tmp_path / "new" / "denoise.json")]) == code
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err.startswith("error[")


def test_names_of_rows() -> None:
    assert row_name(GREY, FLOAT, 25.0) == "small grey float sigma 25"
    assert row_name(GREY, NoiseProtocol(eight_bit=True), 7.5) == "small grey 8bit sigma 7.5"
