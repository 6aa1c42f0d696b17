"""The catalogue of equations: one row each, with defaults that make data from which the equation can be found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TWO_PI = 2 * math.pi


@dataclass(frozen=True, kw_only=True)
class Row:
    """An equation and how it is simulated unless told otherwise.

    text: the system; parameters: values of its named constants; also: definitions written beside the variables.
    grid, length: in the order x, y, z. burn_in: time before the first snapshot. solver: how it is solved.
    """

    text: str
    about: str
    grid: tuple[int, ...]
    length: tuple[float, ...]
    t_end: float
    save_every: float
    runs: int = 1
    initial: str = "random:modes=4,amplitude=2"
    parameters: Mapping[str, float] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    burn_in: float = 0.0
    solver: Literal["spectral", "upwind"] = "spectral"


BURGERS_2D = "u_t = -u*u_x - v*u_y + nu*lap(u); v_t = -u*v_x - v*v_y + nu*lap(v)"
BURGERS_START = "random:modes=4,amplitude=2,offset=2"

CATALOGUE: Mapping[str, Row] = {
    "heat": Row(
        text="u_t = nu*lap(u)",
        about="heat equation",
        parameters={"nu": 0.1},
        grid=(64, 64),
        length=(TWO_PI, TWO_PI),
        t_end=0.8,
        save_every=0.02,
        runs=4,
    ),
    "convection-diffusion": Row(
        text="u_t = -a*u_x - b*u_y + nu*lap(u)",
        about="transport with diffusion",
        parameters={"a": 0.8, "b": 0.5, "nu": 0.1},
        grid=(64, 64),
        length=(TWO_PI, TWO_PI),
        t_end=0.8,
        save_every=0.02,
        runs=4,
    ),
    "convection-diffusion-xy": Row(
        text="u_t = (0.5*(cos(y) + x*(2*pi - x)*sin(x)) + 0.6)*u_y + (2*(cos(y) + sin(x)) + 0.8)*u_x"
        " + 0.2*u_yy + 0.3*u_xx",
        about="PDE-Net 1.0's transport with diffusion, its speeds fields of x and y",
        grid=(50, 50),
        length=(TWO_PI, TWO_PI),
        t_end=0.3,
        save_every=0.015,
        runs=24,
        initial="random:modes=9,amplitude=2",
    ),
    "sine-source": Row(
        text="u_t = c*lap(u) + a*sin(u)",
        about="PDE-Net 1.0's diffusion with a nonlinear source, on a periodic box",
        parameters={"c": 0.3, "a": 15.0},
        grid=(100, 100),
        length=(2 * TWO_PI, 2 * TWO_PI),
        t_end=0.15,
        save_every=0.01,
        runs=8,
        initial="random:modes=9,amplitude=8",
    ),
    "burgers": Row(
        text="u_t = -u*u_x + nu*u_xx",
        about="Burgers, one dimension",
        parameters={"nu": 0.1},
        grid=(256,),
        length=(TWO_PI,),
        t_end=1.0,
        save_every=0.01,
        runs=4,
    ),
    "burgers2d": Row(
        text=BURGERS_2D,
        about="Burgers, two dimensions",
        parameters={"nu": 0.05},
        grid=(32, 32),
        length=(TWO_PI, TWO_PI),
        t_end=0.09,
        save_every=0.01,
        runs=28,
        initial=BURGERS_START,
    ),
    "pdenet-burgers": Row(
        text=BURGERS_2D,
        about="PDE-Net's own Burgers data: upwind differences on 4 times the points; the first half of the runs "
        "starts after the burn-in",
        parameters={"nu": 0.05},
        grid=(32, 32),
        length=(TWO_PI, TWO_PI),
        t_end=0.09,
        save_every=0.01,
        runs=28,
        initial=BURGERS_START,
        burn_in=1.0,
        solver="upwind",
    ),
    "kdv": Row(
        text="u_t = -6*u*u_x - u_xxx",
        about="Korteweg-de Vries, two solitons",
        grid=(256,),
        length=(40.0,),
        t_end=5.0,
        save_every=0.05,
        initial="solitons",
    ),
    "ks": Row(
        text="u_t = -u*u_x - u_xx - u_xxxx",
        about="Kuramoto-Sivashinsky, on its attractor",
        grid=(256,),
        length=(32 * math.pi,),
        t_end=50.0,
        save_every=0.25,
        initial="random:modes=8,amplitude=1",
        burn_in=100.0,
    ),
    "wave": Row(
        text="u_tt = c**2*lap(u)",
        about="wave equation; the velocity is not in the data",
        parameters={"c": 1.0},
        grid=(256,),
        length=(TWO_PI,),
        t_end=4.0,
        save_every=0.02,
        runs=2,
    ),
    "klein-gordon": Row(
        text="u_tt = c**2*lap(u) - m**2*u - g*u**3",
        about="nonlinear Klein-Gordon equation; the velocity is not in the data",
        parameters={"c": 1.0, "m": 1.0, "g": 1.0},
        grid=(256,),
        length=(2 * TWO_PI,),
        t_end=4.0,
        save_every=0.02,
        runs=4,
    ),
    "telegraph": Row(
        text="u_tt = c**2*lap(u) - d*u_t",
        about="waves with friction; the velocity is not in the data",
        parameters={"c": 1.0, "d": 0.4},
        grid=(64, 64),
        length=(TWO_PI, TWO_PI),
        t_end=3.0,
        save_every=0.05,
        runs=4,
    ),
    "schroedinger": Row(
        text="a = psiRe**2 + psiIm**2; psiRe_t = -0.5*lap(psiIm) - g*a*psiIm; psiIm_t = 0.5*lap(psiRe) + g*a*psiRe",
        about="cubic Schroedinger equation, i psi_t = -lap(psi)/2 - g*|psi|**2*psi, as psi = psiRe + i*psiIm",
        parameters={"g": 1.0},
        grid=(128,),
        length=(2 * TWO_PI,),
        t_end=2.0,
        save_every=0.02,
        runs=2,
        initial="random:modes=4,amplitude=1",
    ),
    "convection-diffusion3d": Row(
        text="u_t = -a*u_x - b*u_y + c*u_z + nu*lap(u)",
        about="transport with diffusion, three dimensions",
        parameters={"a": 0.8, "b": 0.5, "c": 0.3, "nu": 0.1},
        grid=(32, 32, 32),
        length=(TWO_PI, TWO_PI, TWO_PI),
        t_end=0.8,
        save_every=0.04,
        runs=2,
    ),
    "burgers3d": Row(
        text="u_t = -u*(u_x + u_y + u_z) + nu*lap(u)",
        about="Burgers for one variable, three dimensions",
        parameters={"nu": 0.1},
        grid=(32, 32, 32),
        length=(TWO_PI, TWO_PI, TWO_PI),
        t_end=0.4,
        save_every=0.02,
        runs=2,
        initial="random:modes=3,amplitude=1",
    ),
    "allen-cahn": Row(
        text="u_t = nu*lap(u) + u - u**3",
        about="Allen-Cahn phase separation",
        parameters={"nu": 0.05},
        grid=(64, 64),
        length=(TWO_PI, TWO_PI),
        t_end=2.0,
        save_every=0.02,
        runs=2,
        initial="random:modes=4,amplitude=1",
    ),
    "lambda-omega": Row(
        text="A = u**2 + v**2; u_t = d*lap(u) + (1-A)*u + beta*A*v; v_t = d*lap(v) - beta*A*u + (1-A)*v",
        about="lambda-omega reaction-diffusion, a spiral wave",
        parameters={"d": 0.1, "beta": 1.0},
        grid=(128, 128),
        length=(20.0, 20.0),
        t_end=4.95,
        save_every=0.05,
        initial="spiral",
        burn_in=1.0,
    ),
    "fitzhugh-nagumo": Row(
        text="u_t = du*lap(u) + u - u**3 - v + alpha; v_t = dv*lap(v) + beta*(u - v)",
        about="FitzHugh-Nagumo reaction-diffusion",
        parameters={"du": 0.1, "dv": 0.2, "alpha": 0.01, "beta": 0.5},
        grid=(64, 64),
        length=(20.0, 20.0),
        t_end=5.0,
        save_every=0.05,
        runs=2,
        initial="random:modes=4,amplitude=1.5",
    ),
    "navier-stokes": Row(
        text="u = -invlap(w_y); v = invlap(w_x); w_t = -u*w_x - v*w_y + nu*lap(w)",
        about="Navier-Stokes in two dimensions: vorticity w and velocity u, v",
        parameters={"nu": 0.02},
        grid=(64, 64),
        length=(TWO_PI, TWO_PI),
        t_end=2.0,
        save_every=0.02,
        initial="random:modes=4,amplitude=5",
        also=("u", "v"),
    ),
}
