"""`pdenet-durr simulate` from the command line: the file it promises, its exit codes, and nothing half-written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import pdenet.simulation.experiment
from backbone.atomic import write_atomic
from backbone.commands.shell import run
from backbone.errors import OutputError
from cli import app
from pdenet.fields.field import Field
from pdenet.simulation import simulate
from pdenet.writers import npz, write_npz

SMALL = ["--grid", "16", "--t-end", "0.02", "--quiet"]


def test_the_files_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "b.npz"
    words = "simulate burgers2d --grid 16x12 --length 6.283185x3 --runs 2 --t-end 0.03 --save-every 0.01 --noise 0.01"
    assert run(app, [*words.split(), "--noise-def", "sample", "--seed", "5", "-o", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    with np.load(out, allow_pickle=False) as data:
        assert set(data.files) == {"u", "v", "t", "x", "y", "dims", "boundary", "recipe"}
        assert data["u"].shape == data["v"].shape == (2, 4, 12, 16)
        assert data["dims"].tolist() == ["run", "time", "y", "x"]
        assert data["boundary"].tolist() == ["periodic", "periodic"]
        np.testing.assert_allclose(data["t"], [0, 0.01, 0.02, 0.03], rtol=1e-14)
        np.testing.assert_allclose(data["x"], 6.283185 / 16 * np.arange(16), rtol=1e-14)
        np.testing.assert_allclose(data["y"], 3 / 12 * np.arange(12), rtol=1e-14)
        values = np.stack([data["u"], data["v"]], axis=2)
    same = simulate(
        "burgers2d", grid="16x12", length="6.283185x3", runs=2, t_end=0.03, save_every=0.01, noise=0.01, seed=5
    )
    np.testing.assert_array_equal(values, same.values)
    assert "equation: u_t = -u*u_x - v*u_y + nu*lap(u)" in printed.err
    assert "scheme: dealiased Fourier on" in printed.err
    assert f"sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}" in printed.err


def test_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "h.npz"
    assert run(app, ["simulate", "u_t = nu*u_xx", "--param", "nu=0.1", *SMALL, "--json", "-o", str(out)]) == 0
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert printed.err == ""
    assert document["equation"] == "u_t = nu*u_xx"
    assert document["parameters"] == {"nu": 0.1}
    assert document["shape"] == [1, 3, 16]
    assert document["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert "mean of u" in document["conserved"]
    assert "mean of u**2" not in document["conserved"]


def test_same_words_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for out in files:
        assert run(app, ["simulate", "burgers", *SMALL, "--noise", "0.1", "-o", str(out)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["u_t = -u*u_q"], 2, "    u_t = -u*u_q\n               ^\n"),
        (["u_t = -0.1*u_xx"], 2, "ill-posed"),
        (["burger"], 2, "did you mean burgers?"),
        (["heat", "--grid", "axb"], 2, "--grid"),
        (["heat", "--noise-def", "all"], 2, "--noise-def"),
        (["heat", "--runs", "many"], 2, "runs"),
        (["heat", "--nonsense"], 2, "--nonsense"),
        (["heat", "--device", "cuda:99"], 2, "--device cuda:99"),
        (
            ["u_t = u**2", "--init", "sine:amplitude=4", "--grid", "8", "--t-end", "1", "--tolerance", "1e-3"],
            6,
            "no longer finite",
        ),
    ],
)
def test_exit_codes(words: list[str], code: int, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["simulate", *words, "-o", str(tmp_path / "x.npz")]) == code
    printed = capsys.readouterr()
    assert told in printed.err
    assert "Traceback" not in printed.err
    assert not list(tmp_path.iterdir())


def test_the_output_is_looked_at_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_work(*_: object, **__: object) -> None:
        raise AssertionError("work was done")

    monkeypatch.setattr(pdenet.simulation.experiment, "run_plan", no_work)
    taken = tmp_path / "taken.npz"
    taken.write_text("mine")
    for out, code in ((taken, 4), (tmp_path / "none" / "x.npz", 4), (tmp_path, 2), (tmp_path / "x.csv", 2)):
        assert run(app, ["simulate", "heat", "-o", str(out)]) == code
    assert taken.read_text() == "mine"
    assert "--overwrite" in capsys.readouterr().err


def test_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "taken.npz"
    out.write_text("mine")
    assert run(app, ["simulate", "burgers", *SMALL, "-o", str(out), "--overwrite"]) == 0
    with np.load(out) as data:
        assert data["u"].shape == (4, 3, 16)


def test_stopped_by_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pdenet.simulation.experiment, "solve_system", stop)
    assert run(app, ["simulate", "heat", "-o", str(tmp_path / "x.npz")]) == 130
    assert not list(tmp_path.iterdir())


def test_a_failing_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, content: bytes) -> None:
        monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        write_atomic(path, content)

    monkeypatch.setattr(npz, "write_atomic", fail)
    out = tmp_path / "x.npz"
    assert run(app, ["simulate", "burgers", *SMALL, "-o", str(out)]) == 4
    assert not list(tmp_path.iterdir())


def test_settings_from_a_file(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('grid = "12"\nt-end = 0.03\nparam = ["nu=0.2"]\nquiet = true\n')
    out = tmp_path / "x.npz"
    assert run(app, ["simulate", "burgers", "--config", str(settings), "--runs", "1", "-o", str(out)]) == 0
    with np.load(out) as data:
        assert data["u"].shape == (1, 4, 12)
        assert "parameters = nu=0.2" in data["recipe"].tolist()


def test_written_fields_are_read_again(tmp_path: Path) -> None:
    from pdenet.readers import read

    field = simulate("navier-stokes", grid="16x12", t_end=0.02, save_every=0.01)
    out = tmp_path / "w.npz"
    write_npz(field, out, recipe={})
    again = read(out)
    assert isinstance(again, Field)
    assert (again.names, again.boundary, again.axes) == (("w", "u", "v"), ("periodic",) * 2, ("y", "x"))
    np.testing.assert_array_equal(again.values, field.values)
    np.testing.assert_allclose((again.dt, *again.dx), (field.dt, *field.dx), rtol=1e-12)  # rounding of coordinates
    with pytest.raises(OutputError):
        write_npz(field, out, recipe={})


@pytest.mark.parametrize(
    ("equation", "note"),
    [
        ("u_t = -u*u_x + 0.5*u_xx", None),
        ("u_t = -u*u_x + 0.05*u_xx", "too coarse: energy at the grid limit "),
        ("u_t = -u*u_x", "not resolved: energy at the solver's grid limit "),
    ],
)
def test_coarse_data_and_unresolved_fronts_are_told(
    equation: str, note: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--grid", "12", "--init", "sine", "--t-end", "1.5", "--save-every", "0.25", "--json", "--tolerance=1e-4"]
    assert run(app, ["simulate", equation, *words, "-o", str(tmp_path / "x.npz")]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert not notes if note is None else notes[0].startswith(note)
