"""Data larger than memory: the same normal matrices block by block, and equations decided by stretches of the data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import cli
from backbone.commands import shell
from backbone.errors import ResourceError
from pdenet.discovery import normal_equations
from pdenet.discovery.ladder import climb, rungs
from pdenet.discovery.refit import refit
from pdenet.discovery.regression import Setting
from pdenet.discovery.restrictions import Restrictions
from pdenet.estimator import PDENet
from pdenet.fields.field import Field
from pdenet.fields.memory import COPIES, Memory
from pdenet.fields.on_disk import OnDisk
from pdenet.readers import read, reader
from pdenet.simulation.experiment import simulate

CPU = torch.device("cpu")
SAME = 1e-10  # sums of the same products in another order


@pytest.fixture(scope="module")
def burgers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long run of 1-D Burgers."""
    field = simulate(
        "u_t = -u*u_x + 0.1*u_xx",
        grid=32,
        length="2pi",
        runs=4,
        t_end=2.0,
        save_every=0.02,
        init="random:modes=3,amplitude=1",
    )
    path = tmp_path_factory.mktemp("large") / "burgers.npz"
    dims = np.array(["run", "time", "x"])
    np.savez(path, u=field.values[:, :, 0], dims=dims, t=field.times(), x=field.coordinates()["x"])
    return path


@pytest.fixture
def half_fits(burgers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of these data are as much as memory is meant for."""
    free = COPIES * (read(burgers).values.nbytes // 2)
    monkeypatch.setattr(reader.Memory, "of", lambda text="auto": Memory(2**40, free))


@pytest.mark.usefixtures("half_fits")
def test_the_fit_to_data_on_disk_is_that_to_data_in_memory(burgers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = read(burgers), read(burgers, memory="auto")
    assert isinstance(there.values, OnDisk)
    noise = np.full((here.n_runs, 1), 1e-9)
    setting = Setting(noise, CPU, np.random.default_rng(0), lambda text: None)
    found = climb(here, rungs(here, 2, 2), setting)
    whole = refit(here, found, Restrictions(), CPU)
    monkeypatch.setattr(normal_equations, "CHUNK_NUMBERS", 2000)  # a few waves of a few snapshots at once
    blocked = refit(there, found, Restrictions(), CPU)
    assert blocked.equations[0].terms == whole.equations[0].terms
    np.testing.assert_allclose(blocked.equations[0].coefficients, whole.equations[0].coefficients, rtol=SAME)
    np.testing.assert_allclose(blocked.covariance, whole.covariance, rtol=1e-3)  # of residuals near rounding


@pytest.mark.usefixtures("half_fits")
def test_learn_says_what_decided(burgers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(cli.app, ["learn", str(burgers), "--json", "--memory", "1G", "-o", str(tmp_path / "run")]) == 0
    talk = capsys.readouterr()
    document = json.loads(talk.out)
    assert document["decided_by"] == "8 stretches of 24 snapshots, of 404 in all (49.2 kB of 103 kB)"
    assert "larger than memory: decided by 8 stretches" in talk.err
    found = {row["term"]: row["coef"] for row in document["equations"][0]["terms"]}
    # polynomials in time over 0.02 s: the error that the whole fit has as well
    assert found == pytest.approx({"u*u_x": -1.0, "u_xx": 0.1}, rel=1e-4)


@pytest.mark.usefixtures("half_fits")
def test_a_field_in_memory_is_held_to_the_limit_too(burgers: Path) -> None:
    model = PDENet(order=2, degree=2, memory="1G", device="cpu").fit(read(burgers))
    assert model.sample_.n_runs == 8
    assert model.learned_.equations == model.equations_


@pytest.mark.usefixtures("half_fits")
@pytest.mark.parametrize("words", [["--varying", "x"], ["--recipe", "paper"]])
def test_what_cannot_be_done_in_blocks_ends_with_a_cure(
    burgers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert shell.run(cli.app, ["learn", str(burgers), "-o", str(tmp_path / "run"), *words]) == 5
    assert "--memory 1G" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_too_little_memory_for_a_few_snapshots(burgers: Path) -> None:
    with pytest.raises(ResourceError, match="40 are needed"):
        PDENet(memory="1M").fit(read(burgers))


@pytest.mark.slow
def test_a_field_of_two_gigabytes_within_two(tmp_path: Path) -> None:
    """512 x 512 x 1000 values of a sum of waves that are carried and decay; the process holds less than they take."""
    n, n_times, dt = 512, 1000, 0.002
    values = np.lib.format.open_memmap(tmp_path / "u.npy", mode="w+", dtype="f8", shape=(n_times, n, n))
    rng = np.random.default_rng(0)
    k = np.fft.fftfreq(n) * n
    ky, kx = np.meshgrid(k, k, indexing="ij")
    waves = np.fft.fft2(rng.standard_normal((n, n))) * np.exp(-0.3 * np.hypot(kx, ky))
    rate = -0.8j * kx - 0.5j * ky - 0.1 * (kx**2 + ky**2)
    for step in range(n_times):
        values[step] = np.fft.ifft2(waves * np.exp(rate * dt * step)).real
    del values
    script = "import sys, resource, cli\nfrom backbone.commands import shell\ncode = shell.run(cli.app, sys.argv[1:])\n"
    script += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\nsys.exit(code)"
    words = ["--dims", "t,y,x", "--dt", str(dt), "--dx", str(2 * np.pi / n), "--memory", "2G", "--json"]
    command = [sys.executable, "-c", script, "learn", str(tmp_path / "u.npy"), *words, "-o", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.splitlines()[-1]) * 1024 < 2e9
    found = {row["term"]: row["coef"] for row in json.loads(done.stdout)["equations"][0]["terms"]}
    assert found == pytest.approx({"u_x": -0.8, "u_y": -0.5, "u_xx": 0.1, "u_yy": 0.1}, rel=1e-6)


def test_columns_by_blocks_of_waves_are_those_of_all(burgers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field: Field = read(burgers)
    setting = Setting(np.full((4, 1), 1e-9), CPU, np.random.default_rng(0), lambda text: None)
    fronts = []
    for numbers in (12_000_000, 1500):
        monkeypatch.setattr(normal_equations, "CHUNK_NUMBERS", numbers)
        fronts.append(climb(field, rungs(field, 2, 2), setting)["u"].front)
    whole, blocked = fronts
    assert [m.places for m in blocked.models[:4]] == [m.places for m in whole.models[:4]]
    np.testing.assert_allclose(blocked.models[2].coefficients, whole.models[2].coefficients, rtol=SAME)
