"""Initial value problems with closed forms, on which orders are measured. float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from backbone.dynamics import SemiLinear, VectorField
from backbone.structured import SecondOrder, Separable


@dataclass(frozen=True)
class Problem:
    """A field with its solution exact(t), shape (batch, 1 or 2); a semi-linear one can be given any structure."""

    field: VectorField
    exact: Callable[[float], Tensor]
    t1: float


STARTS = torch.tensor([[0.3], [1.7]], dtype=torch.float64)


def scalar(value: float | complex) -> Tensor:
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
SEPARABLE = {
    # q' = -(1 + t) p, p' = (1 + t) q: a rotation by t + t^2/2
    "rotation": Problem(
        Separable(lambda t, p: -(1 + t) * p, lambda t, q: (1 + t) * q), PROBLEMS["rotation"].exact, 1.5
    ),
    # q' = p, p' = 2 q^3: q = 1/(c - t), p = 1/(c - t)^2
    "pole": Problem(
        Separable(lambda t, p: p, lambda t, q: 2 * q**3),
        lambda t: torch.cat([1 / (3 - t + STARTS), 1 / (3 - t + STARTS) ** 2], dim=1),
        1.0,
    ),
}
FORCES = {  # from rest
    # y'' = -4 y + cos t: y = (y0 - 1/3) cos 2t + cos(t)/3
    "forced spring": Problem(
        SecondOrder(lambda t, y: math.cos(t) - 4 * y),
        lambda t: (STARTS - 1 / 3) * math.cos(2 * t) + math.cos(t) / 3,
        1.0,
    ),
    # y'' = -2 e^y: y = 2 log a - 2 log cosh(a t)
    "Liouville": Problem(
        SecondOrder(lambda t, y: -2 * torch.exp(y)), lambda t: 2 * torch.log(STARTS / torch.cosh(STARTS * t)), 1.0
    ),
}
FAMILIES = {"any": PROBLEMS, "separable": SEPARABLE, "force": FORCES}
NO_CONSTANT = {name: problem for name, problem in PROBLEMS.items() if name != "forced decay"}  # f(t, 0) = 0
NOT_COMMUTING = {name: PROBLEMS[name] for name in ("forced decay", "logistic")}  # elsewhere F, G may be exchanged
# the leading coefficients on the others are so small that rounding comes before the asymptotic range
CLEAR_TO_ORDER_5 = {name: PROBLEMS[name] for name in ("forced decay", "modulated", "rotation")}
