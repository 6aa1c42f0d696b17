"""Orders of accuracy: problems with closed forms x schemes, float64. A new scheme is a row of SCHEMES."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from backbone.dynamics import SemiLinear, Shared, VectorField
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import (
    AB3,
    ETDRK4,
    RK4,
    BackwardEuler,
    Bernoulli,
    DormandPrince,
    Euler,
    Fractal,
    Heun,
    Imex,
    ImplicitTrapezoid,
    Leapfrog,
    LieTrotter,
    LinearMultistep,
    Midpoint,
    Picard,
    Poly,
    Scheme,
    ShakeShake,
    Strang,
    SymplecticEuler,
    Verlet,
    linear_decay,
)
from backbone.structured import Branches, SecondOrder, Separable, Split


@dataclass(frozen=True)
class Problem:
    """A field with its solution exact(t), shape (batch, 1 or 2); a semi-linear one can be given any structure."""

    field: VectorField
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


def unchanged(field: VectorField) -> VectorField:
    return field


def split(field: VectorField) -> Split:
    assert isinstance(field, SemiLinear)
    return Split(lambda t, y: field.linear * y, field.nonlinear)


def twins(field: VectorField) -> Branches:
    return Branches(field, field)


def unlike(field: VectorField) -> Branches:
    return Branches(lambda t, y: field(t, y) + y, lambda t, y: field(t, y) - y)


def times(factor: float) -> Callable[[VectorField], VectorField]:
    """LinearMultistep(k) follows dy/dt = f / (1 + k); its first step, Euler's, follows f itself."""
    return lambda field: lambda t, y: field(t, y) * (factor if t > 0 else 1.0)


@dataclass(frozen=True)
class Row:
    """A scheme (for n steps), the numbers of steps between which its order is read, and the form of the problems."""

    scheme: Callable[[int], Scheme]
    order: int
    steps: tuple[int, int]
    problems: dict[str, Problem]
    form: Callable[[VectorField], VectorField] = unchanged


def multistep(k: float) -> Callable[[int], Scheme]:
    return lambda n: LinearMultistep(torch.tensor(k, dtype=torch.float64))


def mean_of_stochastic_depth(n: int) -> Scheme:
    return Bernoulli(Euler(), linear_decay(n), generator=torch.Generator()).eval()


def mean_of_shake_shake(n: int) -> Scheme:
    return ShakeShake(generator=torch.Generator()).eval()


ROWS = {
    "Euler": Row(lambda n: Euler(), 1, (128, 256), PROBLEMS),
    "Midpoint": Row(lambda n: Midpoint(), 2, (64, 128), PROBLEMS),
    "Heun": Row(lambda n: Heun(), 2, (64, 128), PROBLEMS),
    "RK4": Row(lambda n: RK4(), 4, (32, 64), PROBLEMS),
    "DormandPrince": Row(lambda n: DormandPrince(), 5, (32, 64), CLEAR_TO_ORDER_5),
    "AB3": Row(lambda n: AB3(), 3, (256, 512), PROBLEMS),
    "BackwardEuler": Row(lambda n: BackwardEuler(), 1, (32, 64), PROBLEMS),
    "ImplicitTrapezoid": Row(lambda n: ImplicitTrapezoid(), 2, (16, 32), PROBLEMS),
    "ETDRK4": Row(lambda n: ETDRK4(), 4, (32, 64), PROBLEMS),
    "Imex": Row(lambda n: Imex(), 1, (128, 256), PROBLEMS),
    "Poly(3)": Row(lambda n: Poly(3), 1, (128, 256), NO_CONSTANT),
    "Picard(2)": Row(lambda n: Picard(2), 1, (128, 256), PROBLEMS),
    "Fractal": Row(lambda n: Fractal(), 2, (64, 128), PROBLEMS, twins),
    "LM(-0.5)": Row(multistep(-0.5), 1, (256, 512), PROBLEMS, times(0.5)),
    "LM(-0.1)": Row(multistep(-0.1), 1, (256, 512), PROBLEMS, times(0.9)),
    "LM(0.9)": Row(multistep(0.9), 1, (256, 512), PROBLEMS, times(1.9)),
    "LM(1)": Row(multistep(1.0), 2, (128, 256), PROBLEMS, times(2.0)),
    "Lie": Row(lambda n: LieTrotter(), 1, (128, 256), PROBLEMS, split),
    "Lie of Heun": Row(lambda n: LieTrotter(Heun()), 1, (128, 256), NOT_COMMUTING, split),
    "Strang of Euler": Row(lambda n: Strang(), 1, (128, 256), PROBLEMS, split),
    "Strang of Heun": Row(lambda n: Strang(Heun()), 2, (64, 128), PROBLEMS, split),
    "SymplecticEuler": Row(lambda n: SymplecticEuler(), 1, (128, 256), SEPARABLE),
    "Verlet": Row(lambda n: Verlet(), 2, (64, 128), SEPARABLE),
    "Leapfrog": Row(lambda n: Leapfrog(), 2, (64, 128), FORCES),
    "stochastic depth": Row(mean_of_stochastic_depth, 1, (128, 256), PROBLEMS),
    "Shake-Shake": Row(mean_of_shake_shake, 1, (128, 256), PROBLEMS, unlike),
}


@pytest.mark.parametrize(
    ("family", "name"), [(family, name) for family, problems in FAMILIES.items() for name in problems]
)
def test_the_problems_are_right(family: str, name: str) -> None:
    problem = FAMILIES[family][name]
    for t in (0.0, 0.4, problem.t1):
        d = 1e-3
        y, (ahead, behind) = problem.exact(t), [problem.exact(t + k * d) - problem.exact(t - k * d) for k in (1, 2)]
        slope = (8 * ahead - behind) / (12 * d)
        if family == "force":
            sums = [problem.exact(t + k * d) + problem.exact(t - k * d) for k in (1, 2)]
            slope = (16 * sums[0] - sums[1] - 30 * y) / (12 * d**2)
        # central differences of order 4: truncation d^4/30 times a fifth derivative below 1e3; rounding 1e-16/d,
        # and for forces 64 roundings of 2 over 12 d^2
        torch.testing.assert_close(problem.field(t, y), slope, rtol=0.0, atol=5e-9 if family == "force" else 1e-10)


@pytest.mark.parametrize(("row", "name"), [(row, name) for row, entry in ROWS.items() for name in entry.problems])
def test_order(row: str, name: str) -> None:
    entry = ROWS[row]
    problem = entry.problems[name]
    errors = []
    for n in entry.steps:
        f, grid = Shared(entry.form(problem.field)), Grid.uniform(0.0, problem.t1, n)
        end = integrate(f, problem.exact(0.0), grid, entry.scheme(n).requires_grad_(False))
        errors.append(float((end.ys - problem.exact(problem.t1)).abs().max()))
    # +-0.15: the margin that the house leaves to the next power of h
    assert math.log2(errors[0] / errors[1]) == pytest.approx(entry.order, abs=0.15), errors
