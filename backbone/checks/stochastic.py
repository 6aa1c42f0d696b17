"""B8, B9: stochastic depth and Shake-Shake as weak approximations, by exact moments, without sampling."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from backbone.checks.examples import Example, seeded
from backbone.checks.measured import Measured
from backbone.checks.steps import order_of
from backbone.schemes.explicit import Euler
from backbone.schemes.stochastic import Bernoulli, ShakeShake

A, B = 0.8, -0.4  # dX = A X: the branches f = A x and g = B x
STEPS = (2**18, 2**19)  # so many that half orders show; x^n still has eight digits

Moment = Callable[[int, float], float]  # of a power q and a step h: the mean of (x_{n+1} / x_n)^q


def check_stochastic_depth(example: Example) -> list[Measured]:
    """Weak order 1 of the SDE scaling under 1 - 2 p = O(sqrt(h)), lost from the third moment on without it."""
    found = []
    laws: dict[str, Callable[[float], float]] = {"1/2": lambda h: 0.5, "1/2 + sqrt(h)/2": lambda h: 0.5 + h**0.5 / 2}
    for title, law in laws.items():
        for q in (1, 2, 3, 4):
            errors = _errors(q, _bernoulli(law, "sde"), _bernoulli_limit(law))
            found.append(Measured.order(f"weak order of moment {q}, p = {title}", errors, 1))
    # without the condition: full order in mean and variance, half of it from the third moment on
    for q, order in ((1, 1.0), (2, 1.0), (3, 0.5), (4, 0.5)):
        errors = _errors(q, _bernoulli(lambda h: 0.8, "sde"), _bernoulli_limit(lambda h: 0.8))
        found.append(Measured.order(f"weak order of moment {q}, p = 0.8", errors, order))
    for q in (1, 2):
        errors = _errors(q, _bernoulli(lambda h: 0.8, "depth"), lambda q, h: math.exp(q * A))
        found.append(Measured.order(f"depth scaling to the ODE, moment {q}", errors, 1))
    return [*found, order_of("stochastic depth")]


def check_shake_shake(example: Example) -> list[Measured]:
    """Weak order 1 to the SDE with noise (f1 - f2) / sqrt(12), and to the ODE with the literal scaling."""
    found = []
    for q in (2, 3, 4):
        found.append(Measured.order(f"weak order of moment {q}", _errors(q, _shake("sde"), _shake_limit), 1))
    ode = _errors(2, _shake("depth"), lambda q, h: math.exp(q * (A + B) / 2))
    return [*found, Measured.order("literal scaling to the ODE, moment 2", ode, 1), order_of("Shake-Shake")]


def _errors(q: int, moment: Moment, limit: Moment) -> list[float]:
    """|E x_N^q - E X(1)^q| from x_0 = 1 for each number of steps."""
    return [abs(moment(q, 1 / n) ** n - limit(q, 1 / n)) for n in STEPS]


def _bernoulli(law: Callable[[float], float], scaling: str) -> Moment:
    """eta = 1 with probability p, else 0: the step multiplies x by 1 + h A share(eta)."""

    def moment(q: int, h: float) -> float:
        p = law(h)
        scheme = Bernoulli(Euler(), (p,), scaling=scaling, generator=seeded())
        stay, leave = (1 + h * A * float(scheme.share(_number(eta), p, h)) for eta in (1.0, 0.0))
        return p * stay**q + (1 - p) * leave**q

    return moment


def _bernoulli_limit(law: Callable[[float], float]) -> Moment:
    """E X(1)^q of dX = p A X dt + sqrt(p (1 - p)) A X dB."""

    def moment(q: int, h: float) -> float:
        p = law(h)
        return math.exp(q * p * A + q * (q - 1) / 2 * p * (1 - p) * A**2)

    return moment


def _shake(scaling: str) -> Moment:
    """eta uniform: the mean over it of a polynomial of degree q <= 4, by Boole's rule."""
    scheme = ShakeShake(scaling=scaling, generator=seeded())

    def moment(q: int, h: float) -> float:
        def factor(eta: float) -> float:
            return (1 + h * (A + B) / 2 + float(scheme.share(_number(eta), h)) * (A - B)) ** q

        return sum(w * factor(eta) for eta, w in BOOLE)

    return moment


# Boole's rule on [0, 1], exact for polynomials of degree 5
BOOLE = tuple(zip((0.0, 0.25, 0.5, 0.75, 1.0), (7 / 90, 32 / 90, 12 / 90, 32 / 90, 7 / 90), strict=True))


def _shake_limit(q: int, h: float) -> float:
    """E X(1)^q of dX = (A + B) / 2 X dt + (A - B) / sqrt(12) X dB."""
    return math.exp(q * (A + B) / 2 + q * (q - 1) / 2 * (A - B) ** 2 / 12)


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
