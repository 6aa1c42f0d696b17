"""What the user knows beforehand: `learn --fix --forbid --terms --max-terms --holdout`, and the same in Python."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cli
import pdenet
from backbone.commands import shell
from backbone.errors import UsageError
from pdenet.fields.field import Field
from pdenet.simulation.experiment import simulate

SMALL = ["--order", "2", "--degree", "2"]


@pytest.fixture
def data(burgers: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of u_t = -u u_x + 0.1 u_xx in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "burgers.npz"
    coordinates = {"t": burgers.times(), "x": burgers.coordinates()["x"]}
    np.savez(path, u=burgers.values[:, :, 0], dims=np.array(["run", "time", "x"]), **coordinates)
    return path


def learn(data: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The document that `learn` prints."""
    assert shell.run(cli.app, ["learn", str(data), "-q", "--json", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def coefficients(document: dict[str, object]) -> dict[str, tuple[float, float]]:
    (equation,) = document["equations"]
    return {row["term"]: (row["coef"], row["error"]) for row in equation["terms"]}


def test_a_fixed_coefficient_stays_and_the_others_are_fitted_beside_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = coefficients(learn(data, ["--fix", "u_xx=0.1", *SMALL], capsys))
    assert set(found) == {"u*u_x", "u_xx"}
    assert found["u_xx"] == (0.1, 0.0)
    assert found["u*u_x"][0] == pytest.approx(-1.0, rel=5e-4)  # the bound of clean data
    assert found["u*u_x"][1] > 0.0


def test_a_wrong_fixed_coefficient_is_kept_all_the_same(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = coefficients(learn(data, ["--fix", "u_xx=0.15", "--terms", "u*u_x"], capsys))
    assert found["u_xx"] == (0.15, 0.0)
    assert set(found) <= {"u*u_x", "u_xx"}


def test_all_terms_fixed_leave_nothing_to_fit(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--fix", "u_xx=0.1, u*u_x=-1", "--terms", "u_xx"]
    assert coefficients(learn(data, words, capsys)) == {"u_xx": (0.1, 0.0), "u*u_x": (-1.0, 0.0)}


def test_without_the_term_that_moves_it_there_is_no_equation(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # its time derivative, an equation of u_tt, would have other terms
    words = ["--forbid", "u*u_x, 1", "--time-order", "1", *SMALL]
    assert shell.run(cli.app, ["learn", str(data), "-q", *words]) == 6
    told = capsys.readouterr().err
    assert "no allowed terms explain u_t" in told
    assert "learn without --forbid" in told


def test_a_forbidden_term_is_not_found(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = coefficients(learn(data, ["--forbid", "u*u_xx", *SMALL], capsys))
    assert set(found) == {"u*u_x", "u_xx"}


def test_only_the_candidates_named_are_weighed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = learn(data, ["--terms", "u, u_x, u_xx, u*u_x"], capsys)
    found = coefficients(document)
    assert set(found) == {"u*u_x", "u_xx"}
    assert found["u_xx"][0] == pytest.approx(0.1, rel=5e-4)
    assert document["library"] == {"order": 2, "degree": 2}


def test_no_more_terms_than_allowed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = learn(data, ["--max-terms", "1", *SMALL], capsys)
    assert len(coefficients(document)) == 1
    assert [row["chosen"] for row in document["pareto"]["u"]].index(True) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fix", "u_yy=0.1"], "there is no 'u_yy'"),
        (["--fix", "w_xx=0.1"], "there is no 'w_xx'"),
        (["--fix", "u_xx"], "'u_xx' has no value"),
        (["--fix", "u_xx=much"], "'much' is no number"),
        (["--forbid", "u*"], "--forbid"),
        (["--terms", "v_t: u_xx"], "'v_t' is no equation"),
        (["--fix", "u_xx=0.1", "--forbid", "u_xx"], "asked for and forbidden"),
        (["--fix", "u_xx=0.1, u=1", "--max-terms", "1"], "2 terms are fixed"),
        (["--terms", "u_xx", "--order", "3"], "no order or degree"),
        (["--max-terms", "0"], "--max-terms"),
        (["--holdout", "1.5"], "--holdout"),
        (["--recipe", "paper", "--fix", "u_xx=0.1"], "no place for --fix"),
    ],
)
def test_wrong_words_are_told_before_any_work(
    data: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.run(cli.app, ["learn", str(data), *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "where: " in error
    assert "try: " in error
    assert list(data.parent.iterdir()) == [data]


def test_the_same_in_python(burgers: Field) -> None:
    model = pdenet.fit(burgers, fix="u_xx=0.1", terms="u, u*u_x", holdout=0.4, device="cpu")
    assert model.equation_.endswith("+ 0.1*u_xx")
    assert {str(term) for term in model.equations_[0].terms} == {"u*u_x", "u_xx"}
    assert model.discovery_ is not None
    assert model.discovery_.held_out == "2 of 6 runs"
    with pytest.raises(UsageError, match="there is no 'u_y'"):
        pdenet.fit(burgers, forbid="u_y")


def test_inputs_have_terms_but_no_equation() -> None:
    field = simulate(
        "u_t = 0.1*u_xx - u*u_x + 0.5*p; p_t = -0.5*p_x",
        grid=32,
        length="2pi",
        runs=6,
        t_end=0.4,
        save_every=0.02,
        init="random:modes=3,amplitude=1",
    )
    model = pdenet.fit(field, known="p", order=2, degree=2, device="cpu")
    (equation,) = model.equations_
    found = dict(zip(map(str, equation.terms), equation.coefficients, strict=True))
    # polynomials in time over 0.02
    assert found == pytest.approx({"p": 0.5, "u*u_x": -1.0, "u_xx": 0.1}, rel=1e-4)
    assert model.discovery_.measure == "time derivative"
    assert model.discovery_.likelihood == "not maximised: no equation says how p goes on"
    assert model.learned_.known == ("p",)
    with pytest.raises(UsageError, match="'q' is not a variable here"):
        pdenet.fit(field, known="q")
    with pytest.raises(UsageError, match="no place for --known"):
        pdenet.fit(field, known="p", recipe="paper")
