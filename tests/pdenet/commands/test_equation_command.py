from __future__ import annotations

import json
from pathlib import Path

import pytest
from pdenet_durr_cli import app

from backbone.commands.shell import run
from backbone.runs import RunFolder
from pdenet.equations.equation import Equation
from pdenet.learned.record import Learned

FOUND = [
    Equation.parse("u_t = -1.00312345*u*u_x + 0.1*u_xx"),
    Equation.parse("v_t = 0.25*v_xy"),
]
FOUND[0] = Equation(FOUND[0].lhs, FOUND[0].terms, FOUND[0].coefficients, (0.002, 0.0003))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_run(name: str = "runs/learn-1", text: str | None = None, *, done: bool = True) -> str:
    """A run folder as learn leaves it; with `text`, equation.json holds that instead of two equations."""
    whole = json.dumps(Learned(equations=tuple(FOUND), recipe="default", dt=0.1, dx=(0.2, 0.2)).as_dict())
    folder = RunFolder.create("learn", Path(name))
    folder.write_text("equation.json", whole if text is None else text)
    if done:
        folder.finish()
    else:
        folder.keep()
    return name


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ([], "u_t = -1.003*u*u_x + 0.1*u_xx"),
        (["--format", "text", "--digits", "9"], "u_t = -1.00312345*u*u_x + 0.1*u_xx"),
        (["--format", "unicode"], "∂u/∂t = −1.003 u ∂u/∂x + 0.1 ∂²u/∂x²"),
        (["--format", "latex"], r"\frac{\partial u}{\partial t} = -1.003 \, u \, \frac{\partial u}{\partial x}"),
        (["--format", "sympy"], "Eq(Derivative(u(t, x, y), t), -1.003*u(t, x, y)*Derivative(u(t, x, y), x)"),
        (["--format", "python"], "def rhs(u, v, u_x, u_xx, v_xy):"),
        (["--format", "py-pde"], '"""u_t = -1.003*u*u_x + 0.1*u_xx'),
    ],
)
def test_only_the_equations_stand_on_stdout(words: list[str], first: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["equation", make_run(), *words]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith(first)
    assert err == ""


def test_json_is_the_record_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["equation", make_run(), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [Equation.from_dict(row) for row in document["equations"]] == FOUND


def test_errors_of_some_equations_only_cannot_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["equation", make_run(), "--errors"]) == 2
    assert "the coefficients of v_t came without standard errors" in capsys.readouterr().err
    record = Learned(equations=(FOUND[0],), recipe="default", dt=0.1, dx=(0.2,)).as_dict()
    alone = make_run("runs/alone", json.dumps(record))
    assert run(app, ["equation", alone, "--errors"]) == 0
    assert capsys.readouterr().out == "u_t = -(1.0031 +- 0.002)*u*u_x + (0.1 +- 0.0003)*u_xx\n"


def test_a_missing_run_is_told_with_its_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    make_run("runs/learn-1")
    make_run("runs/learn-12")
    assert run(app, ["equation", "runs/lern-12"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot find the run 'runs/lern-12'. Runs in this folder: learn-1, learn-12. Did you mean learn-12?" in err
    assert err.splitlines()[-1] == "  try: pdenet-durr equation runs/learn-12"
    assert run(app, ["equation", "no/such"]) == 3


def test_an_unfinished_run_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["equation", make_run(done=False)]) == 3
    assert "has not finished: it has no DONE" in capsys.readouterr().err


def test_other_folders_and_files_are_no_runs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plain").mkdir()
    Path("a.txt").write_text("")
    RunFolder.create("train", Path("train-1")).finish()
    for name, reason in (
        ("plain", "not the folder of a run"),
        ("a.txt", "not the folder"),
        ("train-1", "no run of learn"),
    ):
        assert run(app, ["equation", name]) == 7
        assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"equations": []}',
        '{"equations": 3}',
        '{"equations": ["u_t = 1.0*u"]}',
        '{"equations": [{"lhs": "u_t"}]}',
        '{"equations": [{"lhs": 5, "terms": [{"term": "u", "coef": 1.0}]}]}',
        '{"equations": [{"lhs": "u_t", "terms": [{"term": "u+v", "coef": 1.0}]}]}',
        '{"equations": [{"lhs": "u_t", "terms": [{"term": "u", "coef": "much"}]}]}',
        '{"equations": [{"lhs": "u_t", "terms": [{"term": "u", "coef": NaN}]}]}',
        '{"equations": [{"lhs": "u_t", "terms": [{"term": "u", "coef": 1, "error": 1}, {"term": "v", "coef": 1}]}]}',
        "\x00\xff",
    ],
)
def test_damaged_equations_are_told(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["equation", make_run(text=text)]) == 7
    out, err = capsys.readouterr()
    assert out == ""
    assert "equation.json is damaged" in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--format", "latec"], "unknown format 'latec'"),
        (["--format", "pypde"], "py-pde"),
        (["--all", "--format", "python"], "no place for a table of candidates"),
        (["--digits", "0"], "--digits"),
        (["--digits", "four"], "--digits"),
        (["--colour"], "No such option"),
    ],
)
def test_wrong_words_are_wrong_usage_before_the_run_is_read(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(app, ["equation", "missing", *words]) == 2
    assert reason in capsys.readouterr().err
