"""`forecast` as a user runs it: the table, the document, the files, the exit codes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import cli
from backbone.commands import shell
from backbone.runs import RunFolder
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.learned.record import Learned, TrainedOn
from pdenet.readers import read
from pdenet.writers import write_npz


def write_run(path: Path, text: str, field: Field) -> None:
    """A finished run that found this equation, its coefficients known to a thousandth."""
    equation = Equation.parse(text)
    learned = Learned(
        equations=(equation,),
        recipe="default",
        dt=field.dt,
        dx=field.dx,
        covariance=1e-6 * np.diag(np.square(equation.coefficients)),
        data=TrainedOn.of(field),
    )
    folder = RunFolder.create("learn", path)
    folder.write_json("equation.json", learned.as_dict())
    folder.finish()


@pytest.fixture(autouse=True)
def folder(heat: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a run and its data, the first half of them apart."""
    monkeypatch.chdir(tmp_path)
    write_npz(heat, tmp_path / "all.npz", recipe={})
    write_npz(heat.select(times=slice(0, 6)), tmp_path / "half.npz", recipe={})
    write_run(tmp_path / "run", "u_t = 0.1*u_xx", heat)
    return tmp_path


def run(*words: str) -> int:
    return shell.run(cli.app, ["forecast", *words])


def test_the_table_stands_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", "half.npz", "--compare", "all.npz", "--ensemble", "3") == 0
    out, err = capsys.readouterr()
    header, first, *rows, horizon = out.splitlines()
    assert header.split() == ["t", "error", "of", "the", "equation", "spread", "of", "the", "ensemble"]
    assert first.split() == ["0.1", "0", "%", "0", "%"]
    assert [float(row.split()[0]) for row in rows] == pytest.approx(np.arange(0.12, 0.23, 0.02))
    assert horizon == "horizon of the equation: beyond t = 0.22, the error stays below 10%"
    assert err == ""


def test_one_document_with_every_number(heat: Field, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", "--init", "all.npz", "--compare", "all.npz", "--json", "-o", "f.npz") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["times"] == pytest.approx(heat.times(), rel=1e-12)
    assert len(document["curves"]["error of the equation"]) == heat.n_times
    assert max(document["curves"]["error of the equation"]) < 1e-12  # rounding: the data are the exact solution
    assert document["horizons"] == {"equation": None}
    assert list(document["files"]) == ["f.npz"]
    assert Equation.from_dict(document["equations"][0]).to_text() == "u_t = 0.1*u_xx"


@pytest.mark.parametrize("name", ["f.npz", "f.nc"])
def test_files_are_read_again(name: str, heat: Field, capsys: pytest.CaptureFixture[str]) -> None:
    if name.endswith(".nc"):
        pytest.importorskip("h5netcdf")
    assert run("run", "half.npz", "--t-end", "0.22", "--ensemble", "2", "-o", name) == 0
    assert {path.name for path in Path().glob("f*")} == {name, name.replace("f.", "f-spread.")}
    found = read(name)
    assert (found.names, found.boundary) == (("u",), ("periodic",))
    # rounding of the transforms, and of coordinates in the file
    np.testing.assert_allclose(found.values, heat.values[:, 5:], atol=1e-12)
    assert (found.t0, found.dt) == pytest.approx((0.1, 0.02), rel=1e-9)
    assert read(name.replace("f.", "f-spread.")).values[:, 0].max() == 0.0
    assert run("run", "half.npz", "--t-end", "0.22", "--ensemble", "2", "-o", name) == 4
    assert "exists" in capsys.readouterr().err
    assert run("run", "half.npz", "--t-end", "0.22", "--ensemble", "2", "-o", name, "--overwrite") == 0


def test_outputs_that_exist_are_refused_before_any_work(capsys: pytest.CaptureFixture[str]) -> None:
    Path("f-spread.npz").touch()
    assert run("run", "half.npz", "--t-end", "0.22", "--ensemble", "2", "-o", "f.npz") == 4
    assert "f-spread.npz exists" in capsys.readouterr().err
    assert not Path("f.npz").exists()


def test_doubts_stand_on_stderr_and_ranges_on_stdout(heat: Field, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("high.npz", u=3.0 + heat.values[0, :1, 0], x=heat.coordinates()["x"], dims=["time", "x"])
    assert run("run", "--init", "high.npz", "--t-end", "0.1") == 0
    out, err = capsys.readouterr()
    assert "learnt on [" in err
    start = 3.0 + heat.values[0, 0, 0]
    assert out.splitlines()[1].split() == ["0", f"{start.min():.4g}", "to", f"{start.max():.4g}"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["run"], 2, "nothing to start from"),
        (["run", "half.npz"], 2, "how far"),
        (["run", "half.npz", "--t-end", "1", "--solver", "both"], 2, "has no network"),
        (["run", "half.npz", "--t-end", "1", "-o", "f.csv"], 2, "neither an .npz nor an .nc file"),
        (["run", "half.npz", "--t-end", "nan"], 2, "t-end nan"),
        (["run", "half.npz", "--t-end", "1", "--tolerance", "0"], 2, "tolerance 0"),
        (["run", "half.npz", "--t-end", "1", "--dims", "t,q"], 2, "'q' is not an axis"),
        (["run", "half.npz", "--t-end", "1", "--device", "gpu"], 2, "'gpu' is no device"),
        (["run", "half.npz", "--t-end", "1", "-o", "no/f.npz"], 4, "there is no folder no"),
        (["run", "half.npz", "--t-end", "1e9"], 5, "snapshots need"),
        (["run", "other.npz", "--t-end", "1"], 3, "learnt were u; there is no u among w"),
        (["run", "half.npz", "--compare", "half.npz"], 3, "nothing to compare with"),
        (["run", "half.npz", "--compare", "none.npz"], 3, "cannot find 'none.npz'"),
        (["stopped", "half.npz", "--t-end", "1"], 3, "has not finished"),
        (["edited", "half.npz", "--t-end", "1"], 7, "was changed after learn wrote it"),
        (["run", "none.npz", "--t-end", "1"], 3, "cannot find 'none.npz'"),
        (["no-run", "half.npz", "--t-end", "1"], 3, "cannot find the run"),
        (["run", "half.npz", "--bc", "none", "--t-end", "1"], 3, "x has walls"),
        (["growing", "half.npz", "--t-end", "0.2"], 6, "ill-posed"),
        (["bursting", "half.npz", "--t-end", "3.1"], 6, "no longer finite"),
        (["half.npz", "half.npz", "--t-end", "1"], 7, "not the folder of a run"),
    ],
)
def test_exit_codes(words: list[str], code: int, told: str, heat: Field, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(Path("growing"), "u_t = -0.1*u_xx", heat)
    write_run(Path("bursting"), "u_t = 20.0*u**3", heat)
    write_run(Path("stopped"), "u_t = 0.1*u_xx", heat)
    Path("stopped/DONE").unlink()
    write_run(Path("edited"), "u_t = 0.1*u_xx", heat)
    record = Path("edited/equation.json")
    record.write_text(record.read_text().replace("0.1", "0.2"))
    write_npz(replace(heat, names=("w",)), Path("other.npz"), recipe={})
    step = [] if "--compare" in words else ["--save-every", "0.1"]
    assert run(*words, *step) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert "try: " in err
    assert not Path("f.npz").exists()
