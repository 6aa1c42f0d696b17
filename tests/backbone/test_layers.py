"""Operators, layers and controls: transposes, spectra, conserved and falling quantities, traces, weights in time."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from backbone.attention import Attention, FeedForward
from backbone.control import Evolved, Particles, PiecewiseLinear
from backbone.density import Augmented
from backbone.dynamics import Autonomous, Layered, Shared
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.layers import Antisymmetric, PotentialGradient, energy, hamiltonian, hamiltonian_like
from backbone.operators import Convolution, Dense, Lean, Operator
from backbone.schemes import RK4, Euler, Heun, SymplecticEuler, Verlet
from backbone.stiff import DepthwiseStiff

DOUBLE = torch.float64


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=DOUBLE)


OPERATORS = {
    "dense": (Dense(4, 6, generator=seeded(), dtype=DOUBLE), (3, 4), (3, 6)),
    "convolution": (Convolution(2, 3, generator=seeded(), dtype=DOUBLE), (2, 2, 5, 6), (2, 3, 5, 6)),
    "lean": (Lean(3, generator=seeded(), dtype=DOUBLE), (2, 3, 5, 6), (2, 3, 5, 6)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_transposes_are_exact(name: str) -> None:
    K, inward, outward = OPERATORS[name]
    x, y = normal(*inward), normal(*outward, seed=1)
    # a sum of some hundred products, each rounded to 1e-16
    assert float((K(x) * y).sum().detach()) == pytest.approx(float((x * K.transpose(y)).sum().detach()), rel=1e-12)


def test_a_lean_convolution_is_a_convolution_with_few_numbers() -> None:
    K = Lean(8, generator=seeded())
    assert sum(weight.numel() for weight in K.parameters()) == 8 * 8 + 5 * 8
    x = torch.zeros(1, 8, 5, 5)
    x[0, 2, 2, 2] = 1.0
    answer = K(x)[0]
    assert torch.equal(answer[2].nonzero(), torch.tensor([[1, 2], [2, 1], [2, 2], [2, 3], [3, 2]]))
    assert torch.equal(answer[5].nonzero(), torch.tensor([[2, 2]]))


def jacobian(field: nn.Module, y: Tensor) -> Tensor:
    return torch.autograd.functional.jacobian(lambda x: field(0.0, x[None])[0], y)


@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_antisymmetric_layers_have_no_growing_mode(gamma: float) -> None:
    field = Antisymmetric(Dense(8, 8, generator=seeded(), dtype=DOUBLE), gamma=gamma)
    real = torch.linalg.eigvals(jacobian(field, normal(8))).real
    assert float(real.max()) < 1e-14 if gamma == 0.0 else float(real.max()) < 0  # rounding of the eigenvalue solver


@pytest.mark.parametrize("K", [Dense(6, 6, generator=seeded(), dtype=DOUBLE), OPERATORS["convolution"][0]])
def test_a_potential_gradient_is_one(K: Operator) -> None:
    field = PotentialGradient(K, sign=1.0)
    nn.init.normal_(field.b, generator=seeded(2))
    y = normal(*((3, 6) if K.n_in == 6 else (3, 2, 4, 4))).requires_grad_()
    slope = torch.autograd.grad(field.potential(y).sum(), y)[0]
    torch.testing.assert_close(field(0.0, y), slope, rtol=1e-12, atol=1e-13)  # the same sums in another order


def test_hamiltonian_layers_keep_their_energy() -> None:
    field = hamiltonian(*(Dense(4, 4, generator=seeded(k), dtype=DOUBLE) for k in range(2)))
    y0 = normal(5, 8)
    drift = []
    for n in (100, 200):
        end = integrate(Shared(field), y0, Grid.uniform(0.0, 10.0, n), Verlet()).ys.detach()
        drift.append(float((energy(field, end) - energy(field, y0)).abs().max().detach()))
    assert math.log2(drift[0] / drift[1]) == pytest.approx(2.0, abs=0.15)  # the scheme's order
    assert drift[1] < 1e-2


def test_the_like_form_shares_one_matrix_and_steps_as_the_paper_prints() -> None:
    K = Dense(3, 3, generator=seeded(), dtype=DOUBLE)
    field = hamiltonian_like(K)
    assert sum(weight.numel() for weight in field.parameters()) == 3 * 3 + 3
    y, z = normal(2, 3), torch.zeros(2, 3, dtype=DOUBLE)
    end = integrate(Shared(field), torch.cat([z, y], dim=1), Grid.uniform(0.0, 1.0, 10), SymplecticEuler()).ys
    for _ in range(10):
        z = z - 0.1 * torch.tanh(y @ K.weight.T)
        y = y + 0.1 * torch.tanh(z @ K.weight)
    torch.testing.assert_close(end, torch.cat([z, y], dim=1), rtol=1e-13, atol=1e-13)  # 0.1 is rounded otherwise


def test_the_stiff_part_is_solved_for() -> None:
    field = DepthwiseStiff(normal(2, 3, 3), lambda t, y: torch.tanh(y), alpha=0.5)
    y = normal(3, 2, 8, 6)
    solved = field.resolvent(5.0, y)
    back = solved + 5.0 * (field.nonlinear(0.0, solved) - field(0.0, solved))  # (I + h L) solved
    torch.testing.assert_close(back, y, rtol=0.0, atol=1e-12)  # FFTs of numbers of order 10
    assert bool((solved.flatten(1).norm(dim=1) <= y.flatten(1).norm(dim=1)).all())


def test_attention_moves_tokens_towards_what_is_seen() -> None:
    attend = Attention(8, 2, generator=seeded(), dtype=DOUBLE)
    y = normal(2, 5, 8)
    causal = torch.ones(1, 5, 5, dtype=torch.bool).tril()
    whole, past = attend(0.0, y), attend.looking(y, None, causal)
    other = y.clone()
    other[:, 4] = 0.0
    assert not torch.allclose(attend(0.0, other)[:, :4], whole[:, :4])
    torch.testing.assert_close(attend.looking(other, None, causal)[:, :4], past[:, :4], rtol=1e-12, atol=1e-12)
    moved = FeedForward(8, 16, generator=seeded(), dtype=DOUBLE)
    torch.testing.assert_close(moved(0.0, y)[:, 1:3], moved(0.0, y[:, 1:3]), rtol=1e-12, atol=1e-12)


class Swirl(nn.Module):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.K = nn.Parameter(normal(2, 2, seed=seed))

    def forward(self, t: float, y: Tensor) -> Tensor:
        return torch.tanh(y @ self.K.T) * (1 + t)


def test_piecewise_linear_weights() -> None:
    nodes = Grid((0.0, 1.0, 3.0))
    fields = [Swirl(k) for k in range(3)]
    f = PiecewiseLinear(fields, nodes)
    y = normal(4, 2)
    K = 0.25 * fields[1].K + 0.75 * fields[2].K
    torch.testing.assert_close(f.on(2.0, 3.0)(0.0, y), torch.tanh(y @ K.T), rtol=1e-13, atol=1e-13)
    same = PiecewiseLinear([fields[0]] * 3, nodes)
    ends = [integrate(g, y, Grid.uniform(0.0, 3.0, 6), RK4()).ys for g in (same, Shared(fields[0]))]
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-13, atol=1e-13)
    with pytest.raises(UsageError, match="outside the nodes"):
        f.on(3.0, 4.0)
    with pytest.raises(UsageError, match="2 fields for 3 nodes"):
        PiecewiseLinear(fields[:2], nodes)


class Decay(nn.Module):
    """theta' = -rate theta."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(rate, dtype=DOUBLE))

    def forward(self, t: float, theta: Tensor) -> Tensor:
        return -self.rate * theta


class Growth(nn.Module):
    """y' = theta y: y = y0 exp(theta0 (1 - e^-t)) where theta = theta0 e^-t."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(0.7, dtype=DOUBLE))

    def forward(self, t: float, y: Tensor) -> Tensor:
        return self.theta * y


@pytest.mark.parametrize(("scheme", "order"), [(Heun(), 2), (RK4(), 4)])
def test_evolved_weights_keep_the_order_and_get_their_gradients(scheme: RK4, order: int) -> None:
    evolved = Evolved(Growth(), Decay(1.0))
    errors = []
    for n in (32, 64):
        grid = Grid.uniform(0.0, 3.0, n)
        end = integrate(evolved.along(grid), torch.ones(1, 1, dtype=DOUBLE), grid, scheme).ys
        errors.append(abs(float(end.detach()) - math.exp(0.7 * (1 - math.exp(-3)))))
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)
    slope0, slope1 = torch.autograd.grad(torch.log(end).sum(), list(evolved.parameters()))
    # log y = theta0 (1 - e^-3r) / r, at r = 1, up to the scheme's error
    assert float(slope0) == pytest.approx(1 - math.exp(-3), abs=1e-3)
    assert float(slope1) == pytest.approx(0.7 * (4 * math.exp(-3) - 1), abs=1e-3)


def test_weights_that_stand_still_are_a_neural_ode_exactly() -> None:
    field, grid = Swirl(0), Grid.uniform(0.0, 1.0, 5)
    still = Evolved(field, Decay(0.0)).along(grid)
    y0 = normal(3, 2)
    assert torch.equal(integrate(still, y0, grid, RK4()).ys, integrate(Shared(field), y0, grid, RK4()).ys)


def test_particles_are_the_mean_of_their_fields() -> None:
    theta, y = normal(7, 2), normal(5, 2)
    field = Particles(lambda y, theta: torch.tanh(y[:, None] * theta).sum(1), theta)
    torch.testing.assert_close(field(0.0, y), torch.tanh(y[:, None] * theta).mean(1), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("exact", [True, False])
def test_the_log_density_falls_by_the_trace(exact: bool) -> None:
    y = normal(4, 2).requires_grad_()
    probe = torch.ones(4, 2, dtype=DOUBLE)
    slope = Augmented(Swirl(0), None if exact else probe)(0.5, torch.cat([y, torch.zeros(4, 1).double()], dim=1))
    J = torch.stack([jacobian(lambda t, x: Swirl(0)(0.5, x), row) for row in y.detach()])
    wanted = J.diagonal(dim1=1, dim2=2).sum(1) if exact else J.sum((1, 2))
    torch.testing.assert_close(slope[:, 2], -wanted, rtol=1e-12, atol=1e-13)
    assert slope.requires_grad
    with torch.no_grad():
        assert not Augmented(Swirl(0))(0.5, torch.cat([y, torch.zeros(4, 1).double()], dim=1)).requires_grad


def test_layers_and_autonomous_fields_still_make_a_network() -> None:
    grid = Grid.uniform(0.0, 2.0, 2)
    f = Layered([Autonomous(nn.Identity()) for _ in range(2)], grid)
    assert torch.equal(integrate(f, normal(2, 2), grid, Euler()).ys, 4 * normal(2, 2))
