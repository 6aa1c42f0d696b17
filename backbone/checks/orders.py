"""Orders of accuracy: schemes x problems. A new scheme is a row of ROWS."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from backbone.checks.measured import Measured
from backbone.checks.problems import CLEAR_TO_ORDER_5, FORCES, NO_CONSTANT, NOT_COMMUTING, PROBLEMS, SEPARABLE, Problem
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
from backbone.structured import Branches, Split


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


def slope(row: Row, name: str) -> float:
    """The order that a scheme shows on one of its problems."""
    problem = row.problems[name]
    errors = []
    for n in row.steps:
        f, grid = Shared(row.form(problem.field)), Grid.uniform(0.0, problem.t1, n)
        end = integrate(f, problem.exact(0.0), grid, row.scheme(n).requires_grad_(False))
        errors.append(float((end.ys - problem.exact(problem.t1)).abs().max()))
    return math.log(errors[0] / errors[1]) / math.log(row.steps[1] / row.steps[0])


def check_orders() -> list[Measured]:
    """Of every scheme the slope that is farthest from its order, over its problems."""
    found = []
    for title, row in ROWS.items():
        slopes = [slope(row, name) for name in row.problems]
        farthest = max(slopes, key=lambda value: abs(value - row.order))
        found.append(Measured.order(f"order of {title}", [2.0**farthest, 1.0], row.order))
    return found
