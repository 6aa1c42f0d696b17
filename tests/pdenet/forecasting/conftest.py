"""Runs as `learn` leaves them, made without learning: known equations, and a network that is trained in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from backbone.runs import RunFolder
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field
from pdenet.learned.record import Learned, TrainedOn
from pdenet.network.paper import train_paper

TWO_PI = 2 * np.pi


def wave_field(n: int = 16, n_times: int = 6, decay: float = 0.1, dt: float = 0.1, t0: float = 0.0) -> Field:
    """u = exp(-decay t) cos x on [0, 2 pi), two runs, the second half as high: the heat equation's exact solution."""
    x, t = TWO_PI * np.arange(n) / n, t0 + dt * np.arange(n_times)
    one = np.exp(-decay * t)[:, None, None] * np.cos(x)
    return Field(
        values=np.stack([one, 0.5 * one]),
        dt=dt,
        dx=(TWO_PI / n,),
        names=("u",),
        boundary=("periodic",),
        t0=t0,
        source="waves",
    )


@pytest.fixture
def make_waves() -> Callable[..., Field]:
    return wave_field


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """A finished run that found these equations in this field."""

    def make(texts: str | list[str], field: Field | None = None, **options: object) -> Path:
        field = wave_field() if field is None else field
        several = [texts] if isinstance(texts, str) else texts
        learned = Learned(
            equations=tuple(map(Equation.parse, several)),
            recipe="default",
            dt=field.dt,
            dx=field.dx,
            data=TrainedOn.of(field),
        )
        folder = RunFolder.create("learn", tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
        folder.write_json("equation.json", replace(learned, **options).as_dict())
        return folder.finish()

    return make


@pytest.fixture(scope="session")
def convection() -> Field:
    """u_t = -u_x + 0.2 u_xx, exact, four runs of three snapshots."""
    generator = np.random.default_rng(0)
    x = TWO_PI * np.arange(24) / 24
    t = 0.01 * np.arange(3)[:, None]
    values = np.zeros((4, 3, 1, 24))
    for run in values:
        for k in range(1, 5):
            amplitude, phase = generator.standard_normal(), generator.uniform(0, TWO_PI)
            run[:, 0] += amplitude * np.exp(-0.2 * k**2 * t) * np.cos(k * (x - t) + phase)
    return Field(values=values, dt=0.01, dx=(x[1],), names=("u",), boundary=("periodic",), source="convection")


@pytest.fixture(scope="session")
def paper_run(convection: Field, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the paper's recipe."""
    folder = RunFolder.create("learn", tmp_path_factory.mktemp("paper") / "run")
    found = train_paper(convection, blocks=1, hidden=1, device=torch.device("cpu"), checkpoint=folder.work)
    data = TrainedOn.of(convection)
    learned = Learned(equations=found.equations, recipe="paper", dt=convection.dt, dx=convection.dx, data=data)
    folder.write_json("equation.json", learned.as_dict())
    return folder.finish()
