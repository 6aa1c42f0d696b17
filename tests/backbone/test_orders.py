"""Orders of accuracy: problems with closed forms x schemes, float64. A new scheme is a row of SCHEMES."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from backbone.dynamics import SemiLinear, Shared
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4, RK4, Euler, Heun, ImplicitTrapezoid, Midpoint, Scheme


@dataclass(frozen=True)
class Problem:
    """A semi-linear field (any scheme can step it) with its solution exact(t), shape (batch, 1 or 2)."""

    field: SemiLinear
    exact: Callable[[float], Tensor]
    t1: float


def column(*values: complex) -> Tensor:
    return torch.tensor(values).to(torch.complex128 if any(isinstance(v, complex) for v in values) else torch.float64)[
        :, None
    ]


STARTS = torch.tensor([[0.3], [1.7]], dtype=torch.float64)


def scalar(value: complex) -> Tensor:
    return torch.tensor([value], dtype=torch.complex128 if isinstance(value, complex) else torch.float64)


def turn(t: float, y: Tensor) -> Tensor:
    return torch.stack([-y[:, 1], y[:, 0]], dim=1) * (1 + t)


PROBLEMS = {
    # y' = -y + sin t: y = (y0 + 1/2) e^-t + (sin t - cos t)/2
    "forced decay": Problem(
        SemiLinear(scalar(-1.0), lambda t, y: math.sin(t) + 0 * y),
        lambda t: (STARTS + 0.5) * math.exp(-t) + (math.sin(t) - math.cos(t)) / 2,
        2.0,
    ),
    # y' = y - y^2: y = y0 / (y0 + (1 - y0) e^-t)
    "logistic": Problem(
        SemiLinear(scalar(1.0), lambda t, y: -(y**2)), lambda t: STARTS / (STARTS + (1 - STARTS) * math.exp(-t)), 2.0
    ),
    # y' = y cos t: y = y0 e^(sin t); a part of the factor is called linear
    "modulated": Problem(
        SemiLinear(scalar(0.3), lambda t, y: y * (math.cos(t) - 0.3)), lambda t: STARTS * math.exp(math.sin(t)), 2.0
    ),
    # y' = -t y^2: y = y0 / (1 + y0 t^2 / 2); no linear part
    "quadratic": Problem(
        SemiLinear(scalar(0.0), lambda t, y: -t * y**2), lambda t: STARTS / (1 + STARTS * t**2 / 2), 2.0
    ),
    # y' = (1 + t) J y, J a quarter turn: a rotation by t + t^2/2
    "rotation": Problem(
        SemiLinear(scalar(0.0), turn),
        lambda t: torch.cat([STARTS * math.cos(t + t**2 / 2), STARTS * math.sin(t + t**2 / 2)], dim=1),
        1.5,
    ),
    # y' = 2i y - i |y|^2 y, complex: |y| is kept, y = y0 e^(i (2 - |y0|^2) t)
    "phase": Problem(
        SemiLinear(scalar(2.0j), lambda t, y: -1j * y.abs() ** 2 * y),
        lambda t: STARTS * torch.exp(1j * (2 - STARTS**2) * t),
        1.0,
    ),
}
SCHEMES: dict[type[Scheme], tuple[int, ...]] = {  # with the numbers of steps between which the order is read
    Euler: (256, 512),
    Midpoint: (64, 128),
    Heun: (64, 128),
    RK4: (32, 64),
    ImplicitTrapezoid: (16, 32),
    ETDRK4: (32, 64),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_problems_are_right(name: str) -> None:
    problem = PROBLEMS[name]
    for t in (0.0, 0.4, problem.t1):
        d = 1e-3
        ahead, behind = [problem.exact(t + k * d) - problem.exact(t - k * d) for k in (1, 2)]
        slope = (8 * ahead - behind) / (12 * d)
        # central difference of order 4: truncation d^4/30 times a fifth derivative below 1e3, rounding 1e-16/d
        torch.testing.assert_close(problem.field(t, problem.exact(t)), slope, rtol=0.0, atol=1e-10)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.__name__)
def test_order(scheme: type[Scheme], name: str) -> None:
    problem = PROBLEMS[name]
    errors = []
    for n in SCHEMES[scheme]:
        end = integrate(Shared(problem.field), problem.exact(0.0), Grid.uniform(0.0, problem.t1, n), scheme())
        errors.append(float((end.ys - problem.exact(problem.t1)).abs().max()))
    # +-0.2: the house's margin for the next power of h
    assert math.log2(errors[0] / errors[1]) == pytest.approx(scheme.order, abs=0.2), errors
