"""`learn` as a user runs it: what it prints, what it leaves behind, how it fails."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import cli
from backbone.commands import shell
from pdenet.commands.learn import learn
from pdenet.estimator import PDENet, fit
from pdenet.field_estimator import FieldPDENet
from pdenet.fields.field import Field
from pdenet.learned.reading import read_learned


@pytest.fixture
def data(heat: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of heat data in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "heat.npz"
    coordinates = {"t": heat.times(), "x": heat.coordinates()["x"]}
    np.savez(path, u=heat.values[:, :, 0], dims=np.array(["run", "time", "x"]), **coordinates)
    return path


def test_prints_one_document_and_fills_the_run_folder(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(cli.app, ["learn", str(data), "--json", "--quiet"]) == 0
    document = json.loads(capsys.readouterr().out)
    (equation,) = document["equations"]
    assert equation["lhs"] == "u_t"
    assert [row["term"] for row in equation["terms"]] == ["u_xx"]
    assert equation["terms"][0]["coef"] == pytest.approx(0.1, rel=5e-4)  # the bound
    assert {"noise", "heldout_error", "seconds", "run"} <= set(document)
    run = Path(document["run"])
    left = {path.name for path in run.iterdir()}
    assert {"DONE", "config.toml", "data.json", "versions.json", "metrics.json", "report.png"} <= left
    assert {"equation.json", "equation.txt", "equation.tex", "equation.py"} <= left
    assert read_learned(run).equations[0].coefficients == (equation["terms"][0]["coef"],)


def test_equations_stand_alone_on_stdout(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(cli.app, ["learn", str(data), "--order", "2", "--degree", "2"]) == 0
    talk = capsys.readouterr()
    assert talk.out == "u_t = 0.1*u_xx\n"
    assert "held-out" in talk.err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--recipe", "other"], 2, "unknown recipe"),
        (["--device", "tpu"], 2, "tpu"),
        (["--order", "9"], 2, "--order"),
        (["--resume"], 2, "--resume"),
        (["--var", "w"], 2, "w"),
    ],
)
def test_wrong_words_leave_nothing_behind(
    data: Path, words: list[str], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run(cli.app, ["learn", str(data), *words]) == code
    error = capsys.readouterr().err
    assert told in error
    assert "try: " in error
    assert list(data.parent.iterdir()) == [data]


def test_a_finished_run_is_not_overwritten_unasked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["learn", str(data), "--order", "2", "--degree", "2", "-q", "-o", "run"]
    assert shell.run(cli.app, words) == 0
    assert shell.run(cli.app, words) == 4
    assert "exists" in capsys.readouterr().err
    assert shell.run(cli.app, [*words, "--overwrite"]) == 0


def test_ctrl_c_keeps_the_unfinished_run(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PDENet, "fit", stop)
    assert shell.run(cli.app, ["learn", str(data), "-q", "-o", "run"]) == 130
    assert (data.parent / "run" / "config.toml").is_file()
    assert not (data.parent / "run" / "DONE").exists()


def test_estimator_forecasts_by_the_printed_equation(heat: Field) -> None:
    model = PDENet(order=2, degree=2, device="cpu")
    assert model.fit(heat) is model
    assert model.equation_ == "u_t = 0.1*u_xx"
    assert model.score(heat) > 1 - 1e-9  # the data are the exact solution
    start = heat.select(times=slice(0, 1))
    forecast = model.predict(start, heat.n_times - 1)
    # four modes of size one, rounding and the solver's tolerance of 1e-8
    np.testing.assert_allclose(forecast.values, heat.values[:, 1:], atol=1e-7)
    assert forecast.t0 == pytest.approx(heat.dt)


def test_command_function_and_estimator_have_the_same_options() -> None:
    by_estimator = set(PDENet().get_params())
    assert set(inspect.signature(fit).parameters) == {"data", *by_estimator}
    by_command = set(inspect.signature(learn).parameters)
    assert by_estimator | set(FieldPDENet().get_params()) <= by_command
    assert PDENet(**PDENet(order=2, fix="u_xx=0.1").get_params()).fix == "u_xx=0.1"
