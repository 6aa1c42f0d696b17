"""`learn --varying --source --known` as a user runs it: what it prints, leaves behind and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cli
from backbone.commands import shell
from pdenet.learned.reading import read_learned
from pdenet.simulation.experiment import simulate


@pytest.fixture(scope="module")
def transported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 1-D transport with a speed of x."""
    field = simulate(
        "u_t = (1 + 0.5*cos(x))*u_x + 0.1*u_xx",
        grid=32,
        length="2pi",
        runs=10,
        t_end=0.4,
        save_every=0.02,
        init="random:modes=4,amplitude=1",
    )
    path = tmp_path_factory.mktemp("fields") / "transport.npz"
    coordinates = {"t": field.times(), "x": field.coordinates()["x"]}
    np.savez(path, u=field.values[:, :, 0], dims=np.array(["run", "time", "x"]), **coordinates)
    return path


def test_fields_are_printed_kept_and_drawn(
    transported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shell.run(cli.app, ["learn", str(transported), "--varying", "x", "--json", "-o", "run"]) == 0
    talk = capsys.readouterr()
    document = json.loads(talk.out)
    (equation,) = document["equations"]
    assert equation["text"] == "u_t = (1 + 0.5*cos(x))*u_x + 0.1*u_xx"
    assert [row["axes"] for row in equation["terms"]] == [["x"], []]
    assert "varies along" in talk.err
    run = Path(document["run"])
    left = {path.name for path in run.iterdir()}
    assert {"DONE", "metrics.json", "equation.txt", "equation.full.txt", "fields.npz", "report.png"} <= left
    with np.load(run / "fields.npz") as arrays:
        x = arrays["u_t.u_x.x"]
        # clean data: the trapezoid rule's error
        np.testing.assert_allclose(arrays["u_t.u_x.values"], 1 + 0.5 * np.cos(x), atol=1e-3)
        assert (arrays["u_t.u_x.errors"] > 0).all()
    # what is left behind is an equation that `simulate` runs
    simulate((run / "equation.full.txt").read_text().strip(), grid=32, length="2pi", t_end=0.04, save_every=0.02)


@pytest.fixture(scope="module")
def run(transported: Path) -> Path:
    """What `learn` leaves behind."""
    folder = transported.with_name("run")
    assert (
        shell.run(cli.app, ["learn", str(transported), "--varying", "x", "--order", "2", "-q", "-o", str(folder)]) == 0
    )
    return folder


def test_a_run_is_printed_and_run_forward(transported: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(cli.app, ["equation", str(run)]) == 0
    assert capsys.readouterr().out == "u_t = (1 + 0.5*cos(x))*u_x + 0.1*u_xx\n"
    assert read_learned(run).equations[0].to_text(None) == (run / "equation.full.txt").read_text().strip()
    # from the first snapshot to the last: as far from the data as the coefficients are, about 1e-4
    words = ["--init", str(transported), "--compare", str(transported), "--json", "-q"]
    assert shell.run(cli.app, ["forecast", str(run), *words]) == 0
    (curve,) = json.loads(capsys.readouterr().out)["curves"].values()
    assert max(curve) < 1e-3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["equation", "RUN", "--format", "latex"], "--format latex has no place for coefficients that are fields"),
        (["equation", "RUN", "--errors"], "are fields themselves"),
        (["forecast", "RUN", "DATA", "--t-end", "0.5", "--ensemble", "5"], "no covariance to draw from"),
    ],
)
def test_what_fields_cannot_do_is_told(
    transported: Path, run: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    paths = {"RUN": str(run), "DATA": str(transported)}
    assert shell.run(cli.app, [paths.get(word, word) for word in words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--varying", "q"], "'q' is not an axis here; there are t, x"),
        (["--source", "v"], "'v' is not a variable with an equation"),
        (["--known", "u"], "no equation is left"),
        (["--varying", "x", "--fix", "u_xx=0.1"], "--fix has no place"),
        (["--varying", "x", "--degree", "2"], "--degree has no place"),
        (["--varying", "x", "--recipe", "paper"], "--recipe has no place"),
        (["--varying", "x", "--terms", "u*w"], "no 'w'"),
    ],
)
def test_wrong_words_leave_nothing_behind(
    transported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shell.run(cli.app, ["learn", str(transported), *words]) == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
