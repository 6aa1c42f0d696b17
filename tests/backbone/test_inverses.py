"""Inverses: back(step(y)) is y, and what has no inverse says so; what schemes demand of fields and grids."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from backbone.check import check
from backbone.dynamics import Shared, VectorField
from backbone.endpoint import AfterSteps
from backbone.errors import NotReversible, UsageError
from backbone.gradients import Backprop
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import (
    AB3,
    RK4,
    BackwardEuler,
    Bernoulli,
    Euler,
    Fractal,
    Imex,
    ImplicitTrapezoid,
    Leapfrog,
    LieTrotter,
    LinearMultistep,
    Picard,
    Poly,
    Scheme,
    ShakeShake,
    Strang,
    SymplecticEuler,
    Verlet,
)
from backbone.structured import SecondOrder, Separable, Split


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pull(t: float, y: Tensor) -> Tensor:
    return torch.tanh(y) * (1 + t) - 0.5 * y


def multistep(*k: float) -> LinearMultistep:
    return LinearMultistep(torch.tensor(k if len(k) > 1 else k[0], dtype=torch.float64)).requires_grad_(False)


def there_and_back(scheme: Scheme, field: VectorField, n: int) -> float:
    """The largest error of the state after n steps forward and n back, and the memory is the first one again."""
    y0 = normal(3, 4)
    y, memory = y0, scheme.start(y0)
    steps = Grid.uniform(0.0, 0.1 * n, n).steps
    for t0, t1 in steps:
        y, memory = scheme.step(field, t0, t1, y, memory)
    for t0, t1 in reversed(steps):
        y, memory = scheme.back(field, t0, t1, y, memory)
    assert len(memory.tensors()) == len(scheme.start(y0).tensors())
    return float((y - y0).abs().max())


INVERTIBLE: dict[str, tuple[Callable[[], Scheme], VectorField]] = {
    "symplectic Euler": (SymplecticEuler, Separable(pull, pull)),
    "Verlet": (Verlet, Separable(pull, pull)),
    "leapfrog": (Leapfrog, SecondOrder(lambda t, y: -4 * torch.tanh(y))),
    "LM": (lambda: multistep(0.95), pull),
    "backward Euler": (BackwardEuler, pull),
    "trapezoid": (ImplicitTrapezoid, pull),
}


@pytest.mark.parametrize("name", INVERTIBLE)
def test_steps_back_return_the_state(name: str) -> None:
    scheme, field = INVERTIBLE[name]
    # rounding of ten steps, at most doubled by each; Newton's tolerance is 1e-12
    assert there_and_back(scheme(), field, 10) < 1e-11


def test_rounding_errors_of_a_multistep_inverse_grow_as_powers_of_1_over_k() -> None:
    assert there_and_back(multistep(1.0), lambda t, y: 0.01 * torch.tanh(y), 200) < 1e-12
    # 1e-16 / 0.1^10
    assert 1e-9 < there_and_back(multistep(-0.1), pull, 10) < 1e-4
    assert [multistep(k).reversible() for k in (-0.1, 0.85, 0.95, -0.95)] == [False, False, True, True]
    assert not multistep(0.95, 0.2).reversible()
    with pytest.raises(NotReversible, match="k = 0"):
        there_and_back(multistep(0.0), pull, 3)


@pytest.mark.parametrize(
    "scheme", [Euler(), RK4(), AB3(), Poly(2), Picard(2), Fractal(), LieTrotter(), Strang(), Imex()]
)
def test_what_has_no_inverse_says_so(scheme: Scheme) -> None:
    assert not scheme.reversible()
    with pytest.raises(NotReversible, match="no exact inverse"):
        scheme.back(pull, 0.0, 0.1, normal(2, 2), scheme.start(normal(2, 2)))


@pytest.mark.parametrize(
    ("scheme", "field"),
    [(AB3(), pull), (multistep(0.4), pull), (Leapfrog(), SecondOrder(pull))],
    ids=["AB3", "LM", "leapfrog"],
)
def test_histories_follow_the_samples_that_are_still_stepped(scheme: Scheme, field: VectorField) -> None:
    grid, y0 = Grid.uniform(0.0, 1.0, 6), normal(4, 3)
    until = AfterSteps(torch.tensor([6, 2, 6, 0]), grid)
    whole = integrate(Shared(field), y0, grid, scheme, save="all").ys
    ends = integrate(Shared(field), y0, grid, scheme, until=until).ys
    # elementwise fields: the same operations on fewer samples
    assert torch.equal(ends, torch.stack([whole[6, 0], whole[2, 1], whole[6, 2], whole[0, 3]]))


def bernoulli(*survival: float) -> Bernoulli:
    return Bernoulli(Euler(), survival, generator=torch.Generator())


@pytest.mark.parametrize(
    ("scheme", "field", "ts", "message"),
    [
        (multistep(0.1, 0.2), pull, (0.0, 1.0, 2.0), "2 coefficients k for 2 steps"),
        (AB3(), pull, (0.0, 1.0, 3.0), "AB3 needs equal steps, got 1 to 2"),
        (bernoulli(0.5), pull, (0.0, 1.0, 2.0), "1 survival probabilities for 2 steps"),
        (LieTrotter(), Split(pull, pull, late=pull), (0.0, 1.0), "weights of its own on the second half"),
        (LieTrotter(), pull, (0.0, 1.0), "LieTrotter steps a Split, the dynamics give a function"),
        (Euler(), SecondOrder(pull), (0.0, 1.0), "the field is a force"),
        (Verlet(), Separable(pull, pull), (0.0, 1.0), "has no halves along axis 1"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_fields_and_grids_that_do_not_fit_are_refused(
    scheme: Scheme, field: VectorField, ts: tuple[float, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        check(Shared(field), normal(2, 3), Grid(ts), scheme, gradient=Backprop(), save="last")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Poly(0), "k must be at least 1"),
        (lambda: Picard(0), "k must be at least 1"),
        (lambda: Strang(AB3()), "AB3 needs its own history"),
        (lambda: Bernoulli(AB3(), (0.5,), generator=torch.Generator()), "has no history"),
        (lambda: bernoulli(0.0), r"survival must lie in \(0, 1\]"),
        (lambda: ShakeShake(scaling="ito", generator=torch.Generator()), "scaling='ito' is unknown"),
    ],
)
def test_wrong_settings_are_refused(make: Callable[[], Scheme], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
