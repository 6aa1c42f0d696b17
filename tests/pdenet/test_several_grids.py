"""One equation from data on grids, steps and lengths in time that differ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cli
import pdenet
from backbone.commands import shell
from backbone.errors import InputError, UsageError
from pdenet.discovery.discover_together import joined
from pdenet.discovery.identifiability import CannotTell
from pdenet.discovery.normal_equations import stacked_groups
from pdenet.discovery.refit import Fit
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.readers.options import ReadOptions
from pdenet.readers.several import read_all

TRUTH = {"u_x": -0.5, "u_xx": 0.1}


def transport(
    n: int, *, length: float = 2 * np.pi, dt: float = 0.05, n_times: int = 30, waves: int = 3, noise: float = 0.0
) -> Field:
    """u_t = -0.5 u_x + 0.1 u_xx, exact, two runs."""
    generator = np.random.default_rng(n)
    x, t = length * np.arange(n) / n, dt * np.arange(n_times)[:, None]
    values = np.zeros((2, n_times, 1, n))
    for run in range(2):
        for k in 2 * np.pi / length * np.arange(1, waves + 1):
            phase, size = generator.uniform(0, 2 * np.pi), generator.uniform(0.5, 1.0)
            values[run, :, 0] += size * np.cos(k * (x - 0.5 * t) + phase) * np.exp(-0.1 * k**2 * t)
    values += noise * values.std() * generator.standard_normal(values.shape)
    return Field(values=values, dt=dt, dx=(length / n,), names=("u",), boundary=("periodic",), source=f"{n} points")


def saved(field: Field, path: Path) -> Path:
    name = field.names[0]
    arrays = {name: field.values[:, :, 0], "dims": np.array(["run", "time", "x"])}
    np.savez(path, **arrays, t=field.times(), x=field.coordinates()["x"])
    return path


def coefficients(equation: Equation) -> dict[str, float]:
    return {str(term): value for term, value in zip(equation.terms, equation.coefficients, strict=True)}


def test_grids_steps_and_lengths_may_differ() -> None:
    model = pdenet.fit([transport(32), transport(50, length=9.0, dt=0.02, n_times=41)])
    assert coefficients(model.equations_[0]) == pytest.approx(TRUTH, abs=1e-8)  # truncation of degree 10 in time
    assert model.heldout_error_ < 1e-6
    assert model.discovery_ is not None
    assert "of grid 2" in model.discovery_.held_out
    assert model.learned_.data is not None
    assert model.score(transport(40)) == pytest.approx(1.0, abs=1e-8)


def test_noise_is_met_on_every_grid() -> None:
    grids = [transport(32, noise=0.02), transport(50, length=9.0, dt=0.02, n_times=61, noise=0.05)]
    model = pdenet.fit(grids)
    (equation,) = model.equations_
    assert set(coefficients(equation)) == set(TRUTH)
    assert model.discovery_ is not None
    assert model.discovery_.by_likelihood
    for term, value, error in zip(equation.terms, equation.coefficients, equation.errors, strict=True):
        assert abs(value - TRUTH[str(term)]) < 4.0 * error
    alone = pdenet.fit(grids[0]).equations_[0]
    assert all(both < one for both, one in zip(equation.errors, alone.errors, strict=True))


def test_what_neither_grid_tells_both_do() -> None:
    """A single wave obeys many equations; another wave number, though on another grid, decides."""
    one, other = transport(32, waves=1), transport(40, length=4.0, waves=1)
    with pytest.raises(CannotTell):
        pdenet.fit(one)
    assert coefficients(pdenet.fit([one, other]).equations_[0]) == pytest.approx(TRUTH, abs=1e-7)


def test_fits_are_weighted_by_what_they_know() -> None:
    def fit(value: float, error: float) -> Fit:
        return Fit((Equation.parse(f"u_t = {value}*u_xx + 1.0*u"),), np.diag([error**2, 0.0]))

    both = joined([fit(1.0, 0.1), fit(2.0, 0.2)])
    assert both.equations[0].coefficients == pytest.approx((1.2, 1.0))  # (1/0.01 + 2/0.04) / (1/0.01 + 1/0.04)
    assert both.equations[0].errors == pytest.approx((125**-0.5, 0.0))


def test_blocks_stand_under_each_other_with_empty_shells() -> None:
    whole = stacked_groups([np.ones((2, 3, 4, 4)), np.ones((1, 5, 4, 4))])
    assert whole.shape == (3, 5, 4, 4)
    assert whole[:2, 3:].sum() == 0.0


@pytest.mark.parametrize(
    ("change", "what"),
    [({"names": ("v",)}, "the variables differ: u in .*, v in"), ({"dims": 2}, "1 space axes in .*, 2 in")],
)
def test_what_is_not_alike_is_refused(change: dict[str, object], what: str) -> None:
    first = transport(32)
    other = first
    if "names" in change:
        other = Field(values=first.values, dt=0.05, dx=first.dx, names=("v",), boundary=("periodic",))
    else:
        values = np.repeat(first.values[..., None], 8, axis=-1)
        other = Field(values=values, dt=0.05, dx=(*first.dx, 1.0), names=("u",), boundary=("periodic", "periodic"))
    with pytest.raises(InputError, match=what):
        pdenet.fit([first, other])


def test_the_paper_learns_from_one_grid() -> None:
    with pytest.raises(UsageError, match="from one grid"):
        pdenet.PDENet(recipe="paper").fit([transport(32), transport(40)])


def test_files_of_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [saved(transport(n), Path(f"a{n}.npz")) for n in (32, 40)]
    assert shell.run(cli.app, ["learn", *map(str, files), "--json"]) == 0
    caught = capsys.readouterr()
    assert "each grid by itself, one equation for all" in caught.err
    (equation,) = json.loads(caught.out)["equations"]
    assert {row["term"]: row["coef"] for row in equation["terms"]} == pytest.approx(TRUTH, abs=1e-7)
    data = json.loads((Path(json.loads(caught.out)["run"]) / "data.json").read_text())
    assert [entry["shape"] for entry in data] == [[2, 30, 1, 32], [2, 30, 1, 40]]
    other = transport(40)
    saved(Field(values=other.values, dt=0.05, dx=other.dx, names=("w",), boundary=("periodic",)), Path("w.npz"))
    assert shell.run(cli.app, ["learn", "a32.npz", "w.npz"]) == 3
    assert "the variables differ" in capsys.readouterr().err
    assert shell.run(cli.app, ["learn", *map(str, files), "--varying", "x"]) == 3
    assert "fields on one grid" in capsys.readouterr().err


def test_a_folder_of_runs_is_its_files(tmp_path: Path) -> None:
    for n in (32, 40, 48):
        saved(transport(n, n_times=20 if n == 48 else 30), tmp_path / f"run{n}.npz")
    told: list[str] = []
    grids = read_all(tmp_path, ReadOptions(), note=told.append)
    assert [grid.values.shape for grid in grids] == [(2, 30, 1, 32), (2, 30, 1, 40), (2, 20, 1, 48)]
    assert any("3 files with times of their own" in text for text in told)


def test_files_of_one_grid_are_runs_of_one_field(tmp_path: Path) -> None:
    files = [saved(transport(32, noise=noise), tmp_path / f"{k}.npz") for k, noise in enumerate((0.0, 0.1))]
    files.append(saved(transport(40), tmp_path / "other.npz"))
    assert [grid.n_runs for grid in read_all(files, ReadOptions())] == [4, 2]
