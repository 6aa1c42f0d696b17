"""Gradients that keep no states: reversible equals backprop, the adjoint has the scheme's order, both forget depth."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backbone.adaptive import Adaptive
from backbone.adjoint import ContinuousAdjoint
from backbone.check import check
from backbone.dynamics import Autonomous, Dynamics, Layered, Shared
from backbone.endpoint import AfterSteps
from backbone.errors import NotReversible, UntrustedResult, UsageError
from backbone.gradients import Backprop, Checkpoint, Gradient
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.reversible import Reversible
from backbone.schemes import (
    AB3,
    RK4,
    DormandPrince,
    Euler,
    Heun,
    ImplicitTrapezoid,
    Leapfrog,
    LinearMultistep,
    Midpoint,
    Scheme,
    SymplecticEuler,
    Verlet,
)
from backbone.solve import Sequential, Solve
from backbone.structured import SecondOrder, Separable
from backbone.tape import leaves, saved_bytes


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Neuron(nn.Module):
    """f(t, y) = tanh(K y + b) cos t - y / 2."""

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        self.K = nn.Parameter(0.7 * normal(width, width, seed=seed))
        self.b = nn.Parameter(normal(width, seed=seed + 1))

    def forward(self, t: float, y: Tensor) -> Tensor:
        return torch.tanh(y @ self.K.T + self.b) * math.cos(t) - y / 2


def separable(seed: int) -> Separable:
    return Separable(Neuron(3, seed), Neuron(3, seed + 2))


def force(seed: int) -> SecondOrder:
    return SecondOrder(Neuron(6, seed))


def multistep(*k: float) -> LinearMultistep:
    return LinearMultistep(torch.tensor(k, dtype=torch.float64))


def gradient_of(f: Dynamics, grid: Grid, scheme: Scheme, gradient: Gradient, solve: Solve = Sequential()) -> Tensor:
    """d |y(end)|^2 / d (y0, weights of dynamics and scheme), in one vector."""
    y0 = normal(2, 6, seed=5).requires_grad_()
    end = integrate(f, y0, grid, scheme, solve=solve, gradient=gradient).ys
    slopes = torch.autograd.grad((end**2).sum(), [y0, *f.parameters(), *scheme.parameters()])
    return torch.cat([slope.reshape(-1) for slope in slopes])


@pytest.mark.parametrize(
    ("scheme", "field"),
    [
        (SymplecticEuler(), separable),
        (Verlet(), separable),
        (Leapfrog(), force),
        (multistep(0.95, 0.98, -0.95, 1.0), lambda seed: Neuron(6, seed)),
    ],
    ids=["symplectic Euler", "Verlet", "leapfrog", "LM"],
)
def test_the_reversible_gradient_is_that_of_backprop(scheme: Scheme, field: Any) -> None:
    grid = Grid.uniform(0.0, 1.0, 5)
    for f in (Layered([field(10 * k) for k in range(5)], grid), Shared(field(1))):
        exact = gradient_of(f, grid, scheme, Backprop())
        # the states are rebuilt to a few roundings a step
        torch.testing.assert_close(gradient_of(f, grid, scheme, Reversible()), exact, rtol=1e-12, atol=1e-13)


def test_the_reversible_solve_gives_the_same_state_and_no_tape_when_none_is_asked_for() -> None:
    f, grid = Shared(separable(1)), Grid.uniform(0.0, 1.0, 5)
    solved = integrate(f, normal(2, 6), grid, Verlet(), gradient=Reversible())
    plain = integrate(f, normal(2, 6), grid, Verlet())
    assert torch.equal(solved.ys, plain.ys)
    assert solved.n_evals == plain.n_evals
    with torch.no_grad():
        assert not integrate(f, normal(2, 6), grid, Verlet(), gradient=Reversible()).ys.requires_grad


@pytest.mark.parametrize(("scheme", "n"), [(Euler(), 64), (Midpoint(), 32), (Heun(), 32), (RK4(), 16), (AB3(), 32)])
def test_the_adjoint_has_the_order_of_the_scheme(scheme: Scheme, n: int) -> None:
    f = Shared(Neuron(6, 1))
    exact = gradient_of(f, Grid.uniform(0.0, 1.0, 256), RK4(), Backprop())
    grids = [Grid.uniform(0.0, 1.0, n * m) for m in (1, 2)]
    adjoint = [gradient_of(f, grid, scheme, ContinuousAdjoint()) for grid in grids]
    errors = [float((slope - exact).norm()) for slope in adjoint]
    apart = [
        float((slope - gradient_of(f, grid, scheme, Backprop())).norm())
        for slope, grid in zip(adjoint, grids, strict=True)
    ]
    # +-0.15: the prototype's 1.00, 2.00, 3.99 with room; the two gradients differ by as much as they err,
    # Heun's, whose adjoint is Heun's scheme but for a term, by a power of h less
    assert math.log2(errors[0] / errors[1]) == pytest.approx(scheme.order, abs=0.15), errors
    assert math.log2(apart[0] / apart[1]) > scheme.order - 0.15, apart


def test_layers_and_an_implicit_scheme_have_an_adjoint() -> None:
    layers = Grid.uniform(0.0, 1.0, 4)
    f, grid = Layered([Neuron(6, 10 * k) for k in range(4)], layers), layers.refine(32)
    exact = gradient_of(f, grid, RK4(), Backprop())
    torch.testing.assert_close(gradient_of(f, grid, RK4(), ContinuousAdjoint()), exact, rtol=1e-7, atol=1e-7)
    shared, grid = Shared(Neuron(6, 1)), Grid.uniform(0.0, 1.0, 20)
    exact = gradient_of(shared, grid, RK4(), Backprop())
    found = gradient_of(shared, grid, ImplicitTrapezoid(), ContinuousAdjoint())
    torch.testing.assert_close(found, exact, rtol=1e-2, atol=5e-3)  # h^2 = 2.5e-3 and a factor of order 1


@pytest.mark.parametrize("gradient", [Backprop(), ContinuousAdjoint(), Checkpoint(1)])
@pytest.mark.parametrize(("tolerance", "bound"), [(1e-3, 2e-2), (1e-6, 2e-5), (1e-9, 1e-7)])
def test_the_adaptive_solve_keeps_its_tolerance(gradient: Gradient, tolerance: float, bound: float) -> None:
    f = Shared(Neuron(6, 1))
    exact = gradient_of(f, Grid.uniform(0.0, 1.0, 256), RK4(), Backprop())
    solve = Adaptive(rtol=tolerance, atol=tolerance)
    found = gradient_of(f, Grid((0.0, 0.5, 1.0)), DormandPrince(), gradient, solve)
    assert float((found - exact).norm() / exact.norm()) < bound  # local errors add up: a few tens of the tolerance


def test_an_adaptive_solve_counts_its_evaluations_and_says_where_it_fails() -> None:
    f = Shared(lambda t, y: -y)
    out = integrate(f, normal(2, 6), Grid((0.0, 1.0)), DormandPrince(), solve=Adaptive())
    torch.testing.assert_close(out.ys, normal(2, 6) * math.exp(-1), rtol=1e-6, atol=1e-7)
    assert out.n_evals % 6 == 2  # six a step; two to begin with
    with pytest.raises(UntrustedResult, match=r"no step is short enough on \[0, 2\]"):
        integrate(
            Shared(lambda t, y: y**2), torch.ones(1, 1).double(), Grid((0.0, 2.0)), DormandPrince(), solve=Adaptive()
        )
    with pytest.raises(UsageError, match="tolerances must be positive"):
        Adaptive(rtol=0.0)


@pytest.mark.parametrize("gradient", [Backprop(), ContinuousAdjoint()])
def test_an_adaptive_solve_goes_back_in_time(gradient: Gradient) -> None:
    f = Shared(Neuron(6, 1))
    exact = gradient_of(f, Grid.uniform(1.0, 0.0, 256), RK4(), Backprop())
    found = gradient_of(f, Grid((1.0, 0.0)), DormandPrince(), gradient, Adaptive(rtol=1e-8, atol=1e-8))
    assert float((found - exact).norm() / exact.norm()) < 1e-6  # local errors add up


@pytest.mark.parametrize(("gradient", "field"), [(Reversible(), separable(1)), (ContinuousAdjoint(), Neuron(6, 1))])
def test_second_derivatives_are_refused_and_not_wrong(gradient: Gradient, field: nn.Module) -> None:
    scheme = Verlet() if isinstance(field, Separable) else RK4()
    y0 = normal(2, 6).requires_grad_()
    end = integrate(Shared(field), y0, Grid.uniform(0.0, 1.0, 2), scheme, gradient=gradient).ys
    with pytest.raises(UsageError, match="second derivatives"):
        torch.autograd.grad(end.square().sum(), y0, create_graph=True)


def kept(f: Dynamics, scheme: Scheme, gradient: Gradient, n: int) -> int:
    y0 = normal(8, 6).requires_grad_()
    return saved_bytes(lambda: integrate(f, y0, Grid.uniform(0.0, 1.0, n), scheme, gradient=gradient))[1]


@pytest.mark.parametrize(("gradient", "scheme"), [(Reversible(), Verlet()), (ContinuousAdjoint(), RK4())])
def test_what_is_kept_does_not_depend_on_depth(gradient: Gradient, scheme: Scheme) -> None:
    f = Shared(separable(1)) if scheme.requires is Separable else Shared(Neuron(6, 1))
    weights = sum(weight.numel() for weight in f.parameters())
    assert [kept(f, scheme, gradient, n) for n in (8, 64)] == [8 * (weights + 8 * 6)] * 2  # weights, last state
    few, many = (kept(f, scheme, Backprop(), n) for n in (8, 64))
    assert many > 7 * few


def test_leaves_are_found_once() -> None:
    a, b, c = (normal(2, seed=k).requires_grad_() for k in range(3))
    assert {id(leaf) for leaf in leaves([a * b + a, b, c.detach()])} == {id(a), id(b)}


FREE = torch.ones(6, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gradient": Reversible()}, "RK4 cannot be undone stably"),
        ({"gradient": Reversible(), "scheme": multistep(0.1)}, "LinearMultistep cannot be undone stably"),
        ({"gradient": Reversible(), "save": "all"}, "save='all' with Reversible"),
        ({"until": AfterSteps(torch.tensor([1, 1]), Grid((0.0, 1.0)))}, "an endpoint with ContinuousAdjoint"),
        ({"f": Shared(Autonomous(nn.Dropout(0.5)))}, "Dropout in training with ContinuousAdjoint"),
        ({"f": Shared(lambda t, y: FREE * y)}, r"a tensor of shape \(6,\) asks for a gradient"),
        ({"f": Shared(separable(1)), "scheme": Verlet()}, "Verlet cannot step the adjoint equation"),
        ({"scheme": multistep(1.0)}, "the coefficients of LinearMultistep would get no gradient"),
        ({"y0": normal(2, 6) + 0j, "f": Shared(lambda t, y: y)}, "the state is complex"),
        ({"solve": Adaptive()}, "Adaptive chooses the steps of DormandPrince, got RK4"),
    ],
)
def test_pairs_without_sense_are_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"f": Shared(Neuron(6, 1)), "y0": normal(2, 6), "scheme": RK4(), "save": "last"}
    given |= {"gradient": ContinuousAdjoint(), "grid": Grid.uniform(0.0, 1.0, 2), **change}
    with pytest.raises(UsageError, match=message) as caught:
        check(**given)
    assert isinstance(caught.value, NotReversible) == ("undone" in message)
