"""`learn` on data with gaps: refused with the option that helps, and with it the equation is still found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cli
from backbone.commands import shell
from pdenet.fields.field import Field


@pytest.fixture
def data(burgers: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Burgers data, 3 % of them missing in blocks of 3 snapshots by 4 points, some as NaN and some as Inf."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    values = burgers.values[:, :, 0].copy()
    while np.isfinite(values).mean() > 0.97:
        run, time, place = (generator.integers(n) for n in values.shape)
        values[run, time : time + 3, place : place + 4] = generator.choice([np.nan, np.inf])
    path = tmp_path / "gaps.npz"
    coordinates = {"t": burgers.times(), "x": burgers.coordinates()["x"]}
    np.savez(path, u=values, dims=np.array(["run", "time", "x"]), **coordinates)
    return path


def test_gaps_are_refused_with_the_option_that_masks_them(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(cli.app, ["learn", str(data)]) == 3
    error = capsys.readouterr().err
    assert "--mask-nan" in error
    assert "NaN" in error


def test_the_equation_is_found_between_gaps(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(cli.app, ["learn", str(data), "--mask-nan", "--json", "-q", "--order", "2", "--degree", "2"]) == 0
    document = json.loads(capsys.readouterr().out)
    (equation,) = document["equations"]
    found = {row["term"]: row["coef"] for row in equation["terms"]}
    # sixth-order stencils on 48 points and three waves: (k dx)^6 is 4e-3 for k = 3, and the products reach k = 6
    assert found == pytest.approx({"u*u_x": -1.0, "u_xx": 0.1}, rel=0.02)
    assert document["measure"] == "time derivative"
    assert "mask_nan = true" in (Path(document["run"]) / "config.toml").read_text()


def test_nothing_but_gaps_near_each_other_cannot_tell(
    tmp_path: Path, heat: Field, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    values = heat.values[:, :, 0].copy()
    values[..., ::4] = np.nan  # no stencil fits between gaps four points apart
    np.savez("holes.npz", u=values, dims=np.array(["run", "time", "x"]), t=heat.times(), x=heat.coordinates()["x"])
    assert shell.run(cli.app, ["learn", "holes.npz", "--mask-nan"]) == 6
    assert "0 equations" in capsys.readouterr().err
