"""Layer-parallel solves: factors per cycle, which layers are exact, equality with the serial solve and its gradient."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from backbone.adjoint import ContinuousAdjoint
from backbone.checks.examples import normal, seeded
from backbone.checks.parallel import difference, exact_layers, residuals, smooth_layers
from backbone.control import PiecewiseLinear
from backbone.dynamics import Autonomous, Dynamics, Layered, Shared
from backbone.endpoint import AfterSteps
from backbone.errors import Diverged, UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.layer_parallel import Guesses, Mgrit
from backbone.layers import Antisymmetric, hamiltonian, hamiltonian_like
from backbone.nets.frame import pre_activation
from backbone.nets.neural_ode import TimeField
from backbone.operators import Convolution, Dense
from backbone.schemes import AB3, RK4, Euler, Midpoint, Scheme, SymplecticEuler, Verlet
from backbone.solve import Sequential, Solve


def slopes(
    f: Dynamics, y0: Tensor, grid: Grid, scheme: Scheme, solve: Solve, *, every: bool = False
) -> tuple[Tensor, list[Tensor]]:
    """The last state (or all), and d loss / d (y0, weights)."""
    y0 = y0.requires_grad_()
    ys = integrate(f, y0, grid, scheme, solve=solve, save="all" if every else "last").ys
    loss = (ys * normal(*ys.shape, seed=9)).sum() + (ys**2).sum() / 2
    return ys.detach(), list(torch.autograd.grad(loss, [y0, *f.parameters(), *scheme.parameters()]))


@pytest.mark.parametrize(
    ("n", "coarsen", "t1", "bound"), [(256, 8, 1.0, 0.02), (512, 16, 1.0, 0.02), (256, 8, 5.0, 0.2)]
)
def test_residuals_fall_by_a_factor_per_cycle(n: int, coarsen: int, t1: float, bound: float) -> None:
    norms = residuals(smooth_layers(n, t1), coarsen, cycles=5)
    assert all(later < bound * earlier for earlier, later in pairwise(norms))  # measured 7e-3, 4e-3 and 0.10


def test_k_cycles_make_the_first_2k_plus_1_intervals_exact() -> None:
    smooth, c = smooth_layers(128, 5.0), 8
    for k in range(4):
        assert exact_layers(smooth, c, k) == (2 * k + 1) * c - 1


@pytest.mark.parametrize("mgrit", [Mgrit(), Mgrit(levels=3, coarsen=4, cycles=12), Mgrit(relaxation="F", cycles=14)])
def test_states_and_gradient_are_those_of_the_serial_solve(mgrit: Mgrit) -> None:
    smooth = smooth_layers(128, 1.0)
    for every in (False, True):
        exact, by = slopes(smooth.f, smooth.y0, smooth.grid, Euler(), Sequential(), every=every)
        ys, found = slopes(smooth.f, smooth.y0, smooth.grid, Euler(), mgrit, every=every)
        assert float((ys - exact).abs().max()) < 1e-12  # the bound; measured 1e-15
        assert difference(found, by) < 1e-12


def test_backward_cycles_bring_the_gradient_near() -> None:
    smooth = smooth_layers(256, 1.0)
    _, exact = slopes(smooth.f, smooth.y0, smooth.grid, Euler(), Sequential())
    errors = [
        difference(slopes(smooth.f, smooth.y0, smooth.grid, Euler(), Mgrit(cycles_back=k))[1], exact)
        for k in range(1, 5)
    ]
    bounds = (5e-2, 5e-4, 3e-6, 3e-8)  # measured 1e-2, 7e-5, 5e-7, 3e-9: a factor of five and more
    assert all(error < bound for error, bound in zip(errors, bounds, strict=True))


def image_layer(k: int) -> nn.Module:
    return Antisymmetric(Convolution(3, 3, generator=seeded(k), dtype=torch.float64))


def dense(k: int, width: int = 4) -> Dense:
    return Dense(width, width, generator=seeded(k), dtype=torch.float64)


NODES = Grid.uniform(0.0, 1.0, 4)
GRID = Grid.uniform(0.0, 1.0, 16)


@pytest.mark.parametrize(
    ("f", "shape", "scheme"),
    [
        (Layered([image_layer(k) for k in range(16)], GRID), (2, 3, 5, 5), Midpoint()),
        (Layered([hamiltonian_like(dense(k)) for k in range(16)], GRID), (3, 8), SymplecticEuler()),
        (Layered([hamiltonian(dense(k), dense(k + 16)) for k in range(16)], GRID), (3, 8), Verlet()),
        (Layered([TimeField(4, 8, seeded(k)).double() for k in range(16)], GRID), (3, 4), RK4()),
        (Shared(TimeField(4, 8, seeded()).double()), (3, 4), RK4()),
        (PiecewiseLinear([Antisymmetric(dense(k)) for k in range(5)], NODES), (3, 4), Euler()),
    ],
)
def test_every_one_step_scheme_and_control_runs_in_parallel(
    f: Dynamics, shape: tuple[int, ...], scheme: Scheme
) -> None:
    exact, by = slopes(f, normal(*shape), GRID, scheme, Sequential())
    ys, found = slopes(f, normal(*shape), GRID, scheme, Mgrit(coarsen=4, cycles=2))  # 2 k + 1 intervals of 4: all 16
    assert float((ys - exact).abs().max()) < 1e-13
    assert difference(found, by) < 1e-12


def test_warm_states_save_cycles() -> None:
    smooth, guesses = smooth_layers(128, 1.0), Guesses()
    exact, _ = slopes(smooth.f, smooth.y0, smooth.grid, Euler(), Sequential())
    errors = []
    for _ in range(4):
        ys, _ = slopes(smooth.f, smooth.y0, smooth.grid, Euler(), Mgrit(cycles=1, guesses=guesses))
        errors.append(float((ys - exact).norm()))
    assert errors[-1] < 1e-5 * errors[0]
    assert guesses.adjoints is not None


def test_a_parallel_solve_takes_fewer_calls_of_the_field() -> None:
    smooth = smooth_layers(256, 1.0)
    found = integrate(smooth.f, smooth.y0, smooth.grid, Euler(), solve=Mgrit(cycles=1, coarsen=16))
    assert found.n_evals == 15 + (1 + 15 + 1 + 1 + 16 + 15)  # F; C, F, arriving, coarse at once, coarse serial, F


def test_a_state_that_is_no_number_is_told() -> None:
    f = Shared(Autonomous(nn.Identity()))
    with pytest.raises(Diverged, match="no longer finite after step 1"):
        integrate(f, 1e200 * normal(1, 1), Grid.uniform(0.0, 1e60, 16), Euler(), solve=Mgrit())


class Noisy(nn.Module):
    def forward(self, t: object, y: Tensor) -> Tensor:
        return torch.rand_like(y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gradient": ContinuousAdjoint()}, "ContinuousAdjoint goes from step to step"),
        ({"until": AfterSteps(torch.tensor([1, 1]), GRID)}, "an endpoint asks every state"),
        ({"scheme": AB3()}, "AB3 carries a memory"),
        ({"grid": Grid.uniform(0.0, 1.0, 12)}, "12 steps are no multiple of 8"),
        ({"grid": Grid((0.0, 0.1, *GRID.ts[2:]))}, "Mgrit needs equal steps"),
        ({"f": Shared(Noisy())}, "the layers cannot be run several at once"),
        ({"f": Layered([Antisymmetric(dense(k), gamma=float(k)) for k in range(16)], GRID)}, "differ in more than"),
        ({"f": Layered([Antisymmetric(dense(k, 4 + k % 2)) for k in range(16)], GRID)}, "differ in more than"),
        (
            {"f": Shared(Autonomous(pre_activation(4, seeded()).double())), "y0": normal(2, 4, 4, 4)},
            "BatchNorm in training counts",
        ),
    ],
)
def test_what_cannot_run_in_parallel_is_refused(change: dict[str, object], message: str) -> None:
    given = {"f": Shared(Antisymmetric(dense(0))), "y0": normal(2, 4), "grid": GRID, "scheme": Euler()}
    with pytest.raises(UsageError, match=message):
        integrate(**(given | change), solve=Mgrit())


def test_second_derivatives_are_refused() -> None:
    smooth = smooth_layers(16, 1.0)
    y0 = smooth.y0.requires_grad_()
    end = integrate(smooth.f, y0, smooth.grid, Euler(), solve=Mgrit()).ys
    with pytest.raises(UsageError, match="second derivatives through Mgrit"):
        torch.autograd.grad(end.sum(), y0, create_graph=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mgrit(levels=1), "levels=1"),
        (lambda: Mgrit(coarsen=1), "coarsen=1"),
        (lambda: Mgrit(cycles=0), "cycles=0"),
        (lambda: Mgrit(relaxation="FF"), "relaxation='FF'"),
    ],
)
def test_wrong_words(make: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
