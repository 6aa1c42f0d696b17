"""The rows of `bench pde`: data whose equation is known, the bound on its error, and the peer's settings."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbone.errors import InputError, UsageError
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

NOISE_TARGET = "the bound is 1.5 times the Cramer-Rao bound of these data"


@dataclass(frozen=True, kw_only=True)
class Weak:
    """How PySINDy looks at a row: the smallest library that holds the truth, and the domains of its weak form.

    degree, order, interaction: of the library. domains: their number per run (K). width, duration: half of a domain's
    extent as a share of the box and of the time (H). power: of the test functions (p). every: snapshots kept of the
    weak form's data, one in so many.
    """

    degree: int
    order: int
    interaction: bool = True
    domains: int
    width: float
    duration: float
    power: int
    every: int = 1


@dataclass(frozen=True, kw_only=True)
class Row:
    """Data with a known equation. source: a name of the catalogue, or a .mat file of the folder `--data`.

    noise: share of each run's first snapshot's deviation; a noisy row is run once per seed. mean_bound, max_bound:
    largest error allowed, in percent, of the median over seeds.
    """

    name: str
    source: str
    truth: tuple[str, ...]
    mean_bound: float
    weak: Weak
    max_bound: float | None = None
    noise: float = 0.0
    note: str = ""

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The truth."""
        return tuple(Equation.parse(text) for text in self.truth)

    @property
    def facts(self) -> dict[str, Any]:
        """What the file of results says about the row."""
        return {
            "truth": list(self.truth),
            "mean_bound": self.mean_bound,
            "max_bound": self.max_bound,
            "noise": self.noise,
            "note": self.note,
        }

    @property
    def has_limit(self) -> bool:
        """Whether the Cramer-Rao bound holds: the data are the true equation's, and noise."""
        return self.noise > 0 and not self.is_file and self.source != "pdenet-burgers"

    @property
    def is_file(self) -> bool:
        """Whether the data are a public file that must be at hand."""
        return self.source.endswith(".mat")


BURGERS_1D = ("u_t = -1*u*u_x + 0.1*u_xx",)
BURGERS_2D = (
    "u_t = -1*u*u_x - 1*v*u_y + 0.05*u_xx + 0.05*u_yy",
    "v_t = -1*u*v_x - 1*v*v_y + 0.05*v_xx + 0.05*v_yy",
)
KDV = ("u_t = -6*u*u_x - 1*u_xxx",)
LAMBDA_OMEGA = (
    "u_t = 0.1*u_xx + 0.1*u_yy + 1*u - 1*u**3 - 1*u*v**2 + 1*u**2*v + 1*v**3",
    "v_t = 0.1*v_xx + 0.1*v_yy + 1*v - 1*v**3 - 1*u**2*v - 1*u*v**2 - 1*u**3",
)

LINEAR_2D = Weak(degree=2, order=2, domains=300, width=1 / 6, duration=1 / 6, power=4)
SHORT_RUNS = Weak(degree=2, order=2, domains=100, width=1 / 4, duration=0.45, power=4)

ROWS = (
    Row(name="heat", source="heat", truth=("u_t = 0.1*u_xx + 0.1*u_yy",), mean_bound=0.05, weak=LINEAR_2D),
    Row(
        name="convection-diffusion",
        source="convection-diffusion",
        truth=("u_t = -0.8*u_x - 0.5*u_y + 0.1*u_xx + 0.1*u_yy",),
        mean_bound=0.05,
        weak=LINEAR_2D,
    ),
    Row(
        name="burgers",
        source="burgers",
        truth=BURGERS_1D,
        mean_bound=0.05,
        weak=Weak(degree=2, order=2, domains=500, width=1 / 6, duration=1 / 6, power=6),
    ),
    Row(name="burgers2d", source="burgers2d", truth=BURGERS_2D, mean_bound=0.2, weak=SHORT_RUNS),
    Row(
        name="kdv",
        source="kdv",
        truth=KDV,
        mean_bound=0.1,
        weak=Weak(degree=2, order=3, domains=2000, width=1 / 6, duration=1 / 6, power=6),
    ),
    Row(
        name="lambda-omega",
        source="lambda-omega",
        truth=LAMBDA_OMEGA,
        mean_bound=0.1,
        weak=Weak(degree=3, order=2, interaction=False, domains=1000, width=1 / 6, duration=1 / 6, power=4, every=2),
        note="PySINDy's weak form takes every second snapshot: with all of them it needs more than 4 GB",
    ),
    Row(
        name="burgers.mat",
        source="burgers.mat",
        truth=BURGERS_1D,
        mean_bound=0.01,
        weak=Weak(degree=2, order=2, domains=2000, width=1 / 6, duration=1 / 6, power=6),
        note="PDE-FIND's data",
    ),
    Row(
        name="kdv.mat",
        source="kdv.mat",
        truth=KDV,
        mean_bound=0.5,
        weak=Weak(degree=2, order=3, domains=2000, width=1 / 6, duration=1 / 6, power=6),
        note="PDE-FIND's data",
    ),
    Row(
        name="pdenet-burgers",
        source="pdenet-burgers",
        truth=BURGERS_2D,
        mean_bound=2.0,
        max_bound=5.0,
        weak=SHORT_RUNS,
        noise=0.001,
        note="PDE-Net's own generator, whose truncation alone moves the coefficients by about 1 %",
    ),
    Row(
        name="burgers2d-noise-1",
        source="burgers2d",
        truth=BURGERS_2D,
        mean_bound=0.15,
        weak=SHORT_RUNS,
        noise=0.01,
        note=NOISE_TARGET,
    ),
    Row(
        name="burgers2d-noise-5",
        source="burgers2d",
        truth=BURGERS_2D,
        mean_bound=0.72,
        weak=SHORT_RUNS,
        noise=0.05,
        note=NOISE_TARGET,
    ),
    Row(
        name="burgers2d-noise-10",
        source="burgers2d",
        truth=BURGERS_2D,
        mean_bound=1.5,
        weak=SHORT_RUNS,
        noise=0.1,
        note=NOISE_TARGET,
    ),
)
BY_NAME: Mapping[str, Row] = {row.name: row for row in ROWS}


def choose_rows(words: Sequence[str] | None) -> tuple[Row, ...]:
    """The rows of these names in the order of the table, all for None; UsageError for a name that is none."""
    for word in words or ():
        if word not in BY_NAME:
            near = difflib.get_close_matches(word, BY_NAME, n=1)
            cure = f"--rows {near[0]}" if near else f"use some of: {', '.join(BY_NAME)}"
            raise UsageError(f"'{word}' is no row of the table", where="--rows", cure=cure)
    return tuple(row for row in ROWS if words is None or row.name in words)


def make_field(row: Row, seed: int, folder: Path | None) -> Field:
    """The data of a row. Raises InputError if its file is not there."""
    if row.is_file:
        from pdenet.readers import read

        return read(data_file(row, folder))
    from pdenet.simulation.experiment import simulate

    return simulate(row.source, noise=row.noise, seed=seed)


def data_file(row: Row, folder: Path | None) -> Path:
    """The public file of a row; InputError if no folder is named or the file is not in it."""
    path = (folder or Path()) / row.source
    if folder is None or not path.is_file():
        raise InputError(
            f"there is no {path}", where="--data", cure="name the folder of PDE-FIND's Datasets with --data FOLDER"
        )
    return path
