"""Experiments: pieces that are kept over a stop, means and spreads over seeds, bounds, table, picture and command."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from pdenet_durr_cli import app
from PIL import Image

from backbone.checks.measured import Measured
from backbone.commands.shell import run
from backbone.errors import UsageError
from backbone.experiments.catalogue import EXPERIMENTS, experiment
from backbone.experiments.experiment import Column, Experiment, Measure, Picture
from backbone.experiments.plots import Band
from backbone.experiments.results import Figure, Results, mean_and_spread, spread

DONE: list[tuple[str, int]] = []  # the pieces that were measured, in order


@dataclass(frozen=True, kw_only=True)
class Lengths(Experiment):
    """Sides of squares: area = side^2, side = scale (seed + 1), and 3 times that."""

    name = "lengths"
    question = "how large are squares?"
    columns = (
        Column(figure="area", title="area", form=".1f"),
        Column(figure="area", title="/ small", beside="small"),
    )
    picture = Picture(x="side", y="area", x_title="side", y_title="area")
    scale: float = 1.0
    names: tuple[str, ...] = ("small", "large")

    @property
    def methods(self) -> tuple[str, ...]:
        return self.names

    def begin(self, data: Path | None, device: torch.device) -> Measure:
        def measure(method: str, seed: int) -> dict[str, Figure]:
            DONE.append((method, seed))
            if data is not None and method == "large" and seed == 1:
                raise UsageError("stopped", where="here", cure="again")
            side = self.scale * (seed + 1) * (3 if method == "large" else 1)
            return {"side": side, "area": side**2, "path": [1.0, side]}

        return measure

    def note(self, data: Path | None) -> str:
        return "" if data is None else "made up"

    def bounds(self, results: Results) -> list[Measured]:
        return [Measured.above("large / small", results.mean("large", "area", "small"), 8.0)]


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXPERIMENTS, "lengths", Lengths)
    DONE.clear()


Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    def told(*words: str) -> tuple[int, str, str]:
        code = run(app, ["bench", "backbone", *words, "--out", str(tmp_path / "all.json")])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return told


def test_the_table_has_means_spreads_ratios_and_bounds(bench: Bench) -> None:
    code, out, err = bench("lengths", "--seeds", "2", "--quiet")
    assert (code, err) == (0, "")
    # areas 1, 4 and 9, 36: means 2.5 and 22.5, deviations 3 / sqrt 2 and 27 / sqrt 2
    assert out.splitlines()[0] == "lengths: how large are squares?"
    assert out.splitlines()[2].split() == ["small", "2", "2.5", "±", "2", "1", "±", "0"]
    assert out.splitlines()[3].split() == ["large", "2", "22.5", "±", "2e+01", "9", "±", "0"]
    assert out.splitlines()[4].split()[-5:] == ["9", "at", "least", "8", "reached"]


def test_a_stopped_run_goes_on_where_it_was(bench: Bench, tmp_path: Path) -> None:
    assert bench("lengths", "--seeds", "2", "--data", str(tmp_path))[0] == 2  # its last piece fails
    assert DONE == [("small", 0), ("large", 0), ("small", 1), ("large", 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lengths, "begin", lambda self, data, device: _done)
        code, out, _ = bench("lengths", "--seeds", "2", "--data", str(tmp_path), "--json")
    assert (code, DONE[4:]) == (0, [("large", 1)])
    document = json.loads(out)
    assert document["methods"]["large"]["seeds"].keys() == {"0", "1"}
    assert document["note"] == "made up"
    assert bench("lengths", "--seeds", "2", "--data", str(tmp_path))[1].splitlines()[1] == "  note: made up"


def _done(method: str, seed: int) -> dict[str, Figure]:
    DONE.append((method, seed))
    return {"side": 6.0, "area": 36.0, "path": [1.0, 6.0]}


def test_other_settings_are_measured_anew_and_equal_ones_are_not(bench: Bench) -> None:
    bench("lengths", "--seeds", "1")
    bench("lengths", "--seeds", "1")
    assert len(DONE) == 2
    code, out, _ = bench("lengths", "--seeds", "1", "--set", "scale=2", "--json")
    document = json.loads(out)
    assert (code, len(DONE)) == (0, 4)
    assert document["settings"] == {"scale": 2.0, "names": ["small", "large"]}
    assert document["methods"]["small"]["summary"]["area"] == {"mean": 4.0, "spread": 0.0}
    assert document["bounds"] == [{"what": "large / small", "value": 9.0, "bound": "at least 8", "reached": True}]
    bench("lengths", "--seeds", "1", "--set", "scale=2", "--anew")
    assert len(DONE) == 6


@pytest.mark.parametrize("figure", ["area", "path"])
def test_the_picture_is_drawn(figure: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = "side" if figure == "area" else "path"
    monkeypatch.setattr(Lengths, "picture", Picture(x=x, y=figure, x_title="x", y_title="y", y_log=True))
    path = tmp_path / "drawn.png"
    assert bench("lengths", "--seeds", "2", "--figure", str(path))[0] == 0
    with Image.open(path) as drawn:
        assert drawn.size == (832, 520)


def test_a_logarithmic_axis_has_the_mean_of_logarithms() -> None:
    values = np.array([[1.0], [100.0]])
    band = Band.of(values, log=True)
    assert band.middle == pytest.approx([10.0])
    assert band.low == pytest.approx([10.0 ** (1 - math.sqrt(2))])  # the deviation of 0 and 2 is sqrt 2
    assert Band.of(values, log=False).middle == pytest.approx([50.5])


def test_settings_are_words_of_their_type() -> None:
    assert experiment("lengths", ["names=large", "scale=3"]) == Lengths(scale=3.0, names=("large",))
    assert experiment("lengths").settings() == {"scale": 1.0, "names": ["small", "large"]}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["widths"], "there is no experiment 'widths'"),
        (["lengths", "--set", "sale=2"], "'sale=2' is no setting"),
        (["lengths", "--set", "scale"], "'scale' is no setting"),
        (["lengths", "--set", "scale=two"], "'two' is no float"),
        (["lengths", "--figure", "drawn.txt"], "cannot draw drawn.txt"),
    ],
)
def test_wrong_words_are_refused_before_any_work(words: list[str], message: str, bench: Bench) -> None:
    code, out, err = bench(*words)
    assert (code, out, DONE) == (2, "", [])
    assert message in err


def test_without_a_name_the_experiments_are_listed(bench: Bench) -> None:
    assert "lengths: how large are squares?\n" in bench()[1]
    assert json.loads(bench("--json")[1])["experiments"]["lengths"] == "how large are squares?"


def test_spreads() -> None:
    assert spread([1.0, 3.0]) == pytest.approx(math.sqrt(2))  # squares 1 + 1 over one degree of freedom
    assert (spread([5.0]), mean_and_spread([5.0], ".2f"), mean_and_spread([], ".2f")) == (0.0, "5.00", "")
    assert math.isnan(Results({}).mean("none", "area"))
