from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pdenet_durr_cli import app
from scipy.io import savemat

from backbone.commands.shell import run

NT, NX = 21, 32
T, X = 0.1 * np.arange(NT), 2 * np.pi * np.arange(NX) / NX
U = np.sin(X - T[:, None]) + 0.5 * np.cos(2 * X - 3 * T[:, None])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(name: str = "a.npz", **arrays: Any) -> str:
    np.savez(name, **({"u": U, "t": T, "x": X} | arrays))
    return name


def test_the_report_stands_on_stdout_and_the_talk_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["inspect", save()]) == 0
    out, err = capsys.readouterr()
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["a.npz:", "1", "run"]
    assert lines[1] == ["axis", "points", "from", "step", "boundary", "at", "grid", "limit"]
    assert lines[2] == ["time", "21", "0", "0.1", "-", "-"]
    assert lines[3][:5] == ["x", "32", "0", "0.19635", "periodic"]
    assert lines[5][0] == "u"
    assert out.splitlines()[-1] == "to learn: pdenet-durr learn a.npz"
    assert err == "x looks periodic at its ends; --bc wins over this\n"


def test_quiet_says_nothing_but_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["inspect", save(), "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["inspect", save(), "--json", "--bc", "none"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["problems"] == []
    assert document["learn"] == "pdenet-durr learn a.npz --bc none"
    assert document["field"]["runs"] == 1
    assert document["field"]["axes"][1]["boundary"] == "none"
    assert document["field"]["variables"][0]["name"] == "u"


def test_options_reach_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("b.npz", u=np.stack([U, U]).transpose(2, 0, 1), v=np.stack([U, U]).transpose(2, 0, 1))
    words = ["inspect", "b.npz", "--var", "v", "--dims", "x,run,t", "--dt", "0.1", "--dx", "0.2", "--json"]
    assert run(app, words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["field"]["runs"] == 2
    assert [axis["step"] for axis in document["field"]["axes"]] == [0.1, 0.2]
    assert [variable["name"] for variable in document["field"]["variables"]] == ["v"]


def broken(**arrays: Any) -> dict[str, Any]:
    return {"u": U, "t": T, "x": X} | arrays


HOLES = U.copy()
HOLES[3, 17] = np.nan
SQUARE = U[:, :NT]
UNUSABLE = {
    "ambiguous axes": (broken(u=SQUARE, x=X[:NT]), "cannot tell the axes of u, 21x21: time,x or x,time?"),
    "reshaped": (broken(u=U.reshape(NX, NT)), "looks reshaped instead of transposed"),
    "holes": (broken(u=HOLES), "u has 1 NaN of 672 (0.15 %), first at run 0, t=0.3, x=3.33794"),
    "not uniform": (broken(x=X**1.2), "the coordinate x is not uniform"),
    "few snapshots": (broken(u=U[:2], t=T[:2]), "2 snapshots: a time derivative needs at least 3"),
    "complex": (broken(u=U + 0.5j * U), "u is complex: its imaginary part is 0.5 of its real part"),
    "wrong lengths": (broken(t=T[:-1]), "u is 21x32, which does not fit the coordinates in the file: time 20, x 32"),
    "no step": ({"u": U, "x": X}, "the file has no coordinate time"),
    "no variable": ({"t": T, "x": X}, "no variable over time and space"),
}


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("form", ["text", "json"])
def test_unusable_data_end_with_3_a_reason_and_what_can_be_said(
    case: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays, reason = UNUSABLE[case]
    np.savez("a.npz", **arrays)
    assert run(app, ["inspect", "a.npz", *(["--json"] if form == "json" else [])]) == 3
    out, err = capsys.readouterr()
    assert reason in err
    assert err.splitlines()[-2].startswith("  where: a.npz")
    assert err.splitlines()[-1].startswith("  try: ")
    assert "to learn" not in out
    if form == "json":
        document = json.loads(out)
        assert reason in document["problems"][0]["what"]
        assert {entry["name"] for entry in document["arrays"]} == set(arrays)
    else:
        assert "a.npz" in out


def test_told_dims_that_contradict_the_coordinates_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["inspect", save(), "--dims", "x,t"]) == 3
    assert "the axis named x of u has 21 entries, the coordinate in the file 32" in capsys.readouterr().err


def test_the_cure_for_ambiguous_axes_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["inspect", save(u=SQUARE, x=X[:NT])]) == 3
    cure = capsys.readouterr().err.splitlines()[-1].removeprefix("  try: pdenet-durr ")
    assert run(app, shlex.split(cure)) == 0


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["dta.npz"], 3, "In this folder: damaged.npz, data.npz. Did you mean data.npz?"),
        (["data.foam"], 3, "OpenFOAM, values on a mesh; readable: npz npy mat"),
        (["damaged.npz"], 3, "cannot read 'damaged.npz' as npz"),
        (["data.npz", "--dims", "t,q"], 2, "'q' is not an axis; axes are run t z y x"),
        (["data.npz", "--dims", "run,t,y,x"], 2, "names 4 axes, u has 2: 21x32"),
        (["data.npz", "--bc", "wall"], 2, "boundaries are periodic or none"),
        (["data.npz", "--dt", "-1"], 2, "--dt -1 is not a positive number"),
        (["data.npz", "--dx", "a"], 2, "--dx a is not a list of numbers"),
        (["data.npz", "--var", "w"], 2, "no variable 'w'; the file holds u, t, x"),
        (["data.npz", "--colour"], 2, "No such option"),
        ([], 2, "Missing argument"),
    ],
)
def test_errors_have_their_code_and_leave_stdout_alone(
    words: list[str], code: int, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save("data.npz")
    Path("data.foam").write_text("")
    Path("damaged.npz").write_bytes(b"PK\x03\x04 cut")
    assert run(app, ["inspect", *words]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err
    assert len(err.splitlines()) == 3


def test_several_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["inspect", save("a.npz"), save("b.npz"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["field"]["runs"] == 2
    assert document["learn"] == "pdenet-durr learn a.npz b.npz"


def test_a_matlab_file_as_pde_find_stores_it(capsys: pytest.CaptureFixture[str]) -> None:
    savemat("a.mat", {"usol": U.T + 0j, "t": T[:, None], "x": X[None]})
    assert run(app, ["inspect", "a.mat"]) == 0
    out, err = capsys.readouterr()
    assert "to learn: pdenet-durr learn a.mat" in out
    assert "usol is called u" in err
