"""The table of `bench pde`: clean rows, and the same data with noise."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from backbone.errors import UsageError
from pdenet.benchmark.cases import Row, Weak

AT_THE_LIMIT = "the bound is 1.5 times the Cramer-Rao bound of these data"

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


HEAT = Row(name="heat", source="heat", truth=("u_t = 0.1*u_xx + 0.1*u_yy",), mean_bound=0.05, weak=LINEAR_2D)
CONVECTION_DIFFUSION = Row(
    name="convection-diffusion",
    source="convection-diffusion",
    truth=("u_t = -0.8*u_x - 0.5*u_y + 0.1*u_xx + 0.1*u_yy",),
    mean_bound=0.05,
    weak=LINEAR_2D,
)
BURGERS = Row(
    name="burgers",
    source="burgers",
    truth=BURGERS_1D,
    mean_bound=0.05,
    weak=Weak(degree=2, order=2, domains=500, width=1 / 6, duration=1 / 6, power=6),
)
BURGERS2D = Row(name="burgers2d", source="burgers2d", truth=BURGERS_2D, mean_bound=0.1, weak=SHORT_RUNS)
KORTEWEG_DE_VRIES = Row(
    name="kdv",
    source="kdv",
    truth=KDV,
    mean_bound=0.1,
    weak=Weak(degree=2, order=3, domains=2000, width=1 / 6, duration=1 / 6, power=6),
)
SPIRALS = Row(
    name="lambda-omega",
    source="lambda-omega",
    truth=LAMBDA_OMEGA,
    mean_bound=0.01,
    weak=Weak(degree=3, order=2, interaction=False, domains=1000, width=1 / 6, duration=1 / 6, power=4, every=2),
    note="PySINDy's weak form takes every second snapshot: with all of them it needs more than 4 GB",
)
BURGERS_FILE = Row(
    name="burgers.mat",
    source="burgers.mat",
    truth=BURGERS_1D,
    mean_bound=0.001,
    weak=Weak(degree=2, order=2, domains=2000, width=1 / 6, duration=1 / 6, power=6),
    note="PDE-FIND's data",
)
KDV_FILE = Row(
    name="kdv.mat",
    source="kdv.mat",
    truth=KDV,
    mean_bound=0.001,
    weak=Weak(degree=2, order=3, domains=2000, width=1 / 6, duration=1 / 6, power=6),
    note="PDE-FIND's data",
)
WAVE = Row(name="wave", source="wave", truth=("u_tt = 1*u_xx",), mean_bound=0.01, weak=None)
KLEIN_GORDON = Row(
    name="klein-gordon",
    source="klein-gordon",
    truth=("u_tt = -1*u - 1*u**3 + 1*u_xx",),
    mean_bound=0.01,
    weak=None,
    note="u alone is measured",
)
SCHROEDINGER = Row(
    name="schroedinger",
    source="schroedinger",
    truth=(
        "psiRe_t = -0.5*psiIm_xx - 1*psiIm*psiRe**2 - 1*psiIm**3",
        "psiIm_t = 0.5*psiRe_xx + 1*psiIm**2*psiRe + 1*psiRe**3",
    ),
    mean_bound=0.01,
    weak=Weak(degree=3, order=2, domains=500, width=1 / 6, duration=1 / 6, power=4),
)
CONVECTION_DIFFUSION_3D = Row(
    name="convection-diffusion3d",
    source="convection-diffusion3d",
    truth=("u_t = -0.8*u_x - 0.5*u_y + 0.3*u_z + 0.1*u_xx + 0.1*u_yy + 0.1*u_zz",),
    mean_bound=0.01,
    weak=None,
    note="PySINDy is not run in three dimensions",
)
BURGERS_3D = Row(
    name="burgers3d",
    source="burgers3d",
    truth=("u_t = -1*u*u_x - 1*u*u_y - 1*u*u_z + 0.1*u_xx + 0.1*u_yy + 0.1*u_zz",),
    mean_bound=0.01,
    weak=None,
    note=CONVECTION_DIFFUSION_3D.note,
)
GENERATOR = Row(
    name="pdenet-burgers",
    source="pdenet-burgers",
    truth=BURGERS_2D,
    mean_bound=1.4,
    max_bound=3.0,
    weak=SHORT_RUNS,
    noise=0.001,
    note="PDE-Net's own generator, whose truncation alone moves the coefficients by about 1 %",
)

ROWS = (
    HEAT,
    CONVECTION_DIFFUSION,
    BURGERS,
    BURGERS2D,
    KORTEWEG_DE_VRIES,
    SPIRALS,
    BURGERS_FILE,
    KDV_FILE,
    GENERATOR,
    BURGERS2D.noisy(0.01, "sample", 0.15, AT_THE_LIMIT),
    BURGERS2D.noisy(0.05, "sample", 0.72, AT_THE_LIMIT),
    BURGERS2D.noisy(0.1, "sample", 1.5, AT_THE_LIMIT),
    BURGERS2D.noisy(0.3, "sample", 5.0),
    HEAT.noisy(0.01, "set", 0.05),
    HEAT.noisy(0.1, "set", 0.4),
    CONVECTION_DIFFUSION.noisy(0.01, "set", 0.05),
    CONVECTION_DIFFUSION.noisy(0.1, "set", 0.4),
    SPIRALS.noisy(0.01, "set", 0.2),
    SPIRALS.noisy(0.1, "set", 3.0),
    BURGERS_FILE.noisy(0.01, "set", 0.1),
    BURGERS_FILE.noisy(0.1, "set", 0.3),
    KDV_FILE.noisy(0.01, "set", 0.1),
    KDV_FILE.noisy(0.1, "set", 0.3),
    WAVE,
    KLEIN_GORDON,
    KLEIN_GORDON.noisy(0.01, "sample", 0.3, AT_THE_LIMIT),
    KLEIN_GORDON.noisy(0.05, "sample", 1.5, AT_THE_LIMIT),
    SCHROEDINGER,
    SCHROEDINGER.noisy(0.01, "sample", 0.2, AT_THE_LIMIT),
    CONVECTION_DIFFUSION_3D,
    CONVECTION_DIFFUSION_3D.noisy(0.05, "sample", 0.5),
    BURGERS_3D,
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
