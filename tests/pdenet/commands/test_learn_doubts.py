"""`learn` on data that cannot tell: exit code 6, what would decide, and no equation anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cli
from backbone.commands import shell


def write(path: Path, numbers: tuple[int, ...]) -> Path:
    """Sine modes of u_t = 0.1 u_xx in a file."""
    x, t = 2 * np.pi * np.arange(32) / 32, 0.05 * np.arange(20)
    values = sum(np.exp(-0.1 * k**2 * t[:, None]) * np.sin(k * x + k) for k in numbers)
    np.savez(path, u=values, t=t, x=x)
    return path


def test_one_sine_mode_ends_with_six(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write(tmp_path / "one.npz", (1,))
    assert shell.run(cli.app, ["learn", str(data), "-o", "run"]) == 6
    talk = capsys.readouterr()
    assert talk.out == ""
    assert "error[CANNOT-TELL]: these data cannot tell" in talk.err
    assert "u_xx" in talk.err
    assert "try: add starts with three or more wave numbers along x" in talk.err
    # what was weighed is kept, the equation is not
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"DONE", "metrics.json", "report.png"} <= left
    assert not any(name.startswith("equation") for name in left)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert [doubt["kind"] for doubt in metrics["doubts"]] == ["rivals"]
    assert shell.run(cli.app, ["equation", "run"]) == 6
    assert "no equations to trust" in capsys.readouterr().err
    assert shell.run(cli.app, ["equation", "run", "--all"]) == 0
    assert "u_t = 0" in capsys.readouterr().out


def test_three_sine_modes_give_the_equation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write(tmp_path / "three.npz", (1, 2, 3))
    assert shell.run(cli.app, ["learn", str(data)]) == 0
    talk = capsys.readouterr()
    assert talk.out == "u_t = 0.1*u_xx\n"
    assert "closest rival" in talk.err
    assert "second opinion, in weak form: u_t = 0.1*u_xx (the same terms" in talk.err


def test_the_doubt_is_one_document_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write(tmp_path / "one.npz", (2,))
    assert shell.run(cli.app, ["learn", str(data), "-q", "--json"]) == 6
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["id"] == "CANNOT-TELL"
    assert document["error"]["exit_code"] == 6


def test_ruling_out_the_rivals_settles_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write(tmp_path / "one.npz", (1,))
    assert shell.run(cli.app, ["learn", str(data), "-q", "--forbid", "u, u_xxxx"]) == 0
    assert capsys.readouterr().out == "u_t = 0.1*u_xx\n"
