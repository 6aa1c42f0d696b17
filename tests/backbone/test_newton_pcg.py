"""Block coordinate descent: exact Newton for the classifier, Gauss-Newton for the layers, an objective that falls."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.func import jacrev

from backbone.checks.algorithms import small_system
from backbone.checks.examples import normal, seeded
from backbone.errors import UsageError
from backbone.gradients import Backprop
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.neural_ode import neural_ode
from backbone.nets.points import PointShape
from backbone.synthetic import ellipses
from backbone.train.fit import fit
from backbone.train.gauss_newton import DepthRegulariser, conjugate_gradients
from backbone.train.line_search import armijo
from backbone.train.newton_pcg import NewtonPcg
from backbone.train.numerics import flows_of
from backbone.train.softmax import Softmax, newton


def test_newton_on_the_classifier_is_quadratic() -> None:
    labels = torch.arange(3).repeat(20)
    softmax = Softmax(normal(60, 4) + labels[:, None], labels, 1e-3)
    V, norms = newton(softmax, torch.zeros(3, 5, dtype=torch.float64), n_steps=20)
    assert norms[-1] < 1e-12
    assert all(later < 20 * earlier**2 for earlier, later in pairwise(norms[2:-1]))  # each about the square of the last
    weights = V.clone().requires_grad_()
    torch.testing.assert_close(torch.autograd.grad(softmax.value(weights), weights)[0], torch.zeros_like(V))


def test_gradient_and_hessian_of_the_classifier_are_autograds() -> None:
    softmax, V = Softmax(normal(9, 2), torch.arange(9) % 3, 0.1), normal(3, 3, seed=1)
    value = torch.func.grad(softmax.value)
    torch.testing.assert_close(softmax.gradient(V), value(V), rtol=0.0, atol=1e-14)  # rounding
    dense = jacrev(value)(V).reshape(9, 9)
    torch.testing.assert_close(softmax.hessian(V), dense, rtol=0.0, atol=1e-14)


def test_products_and_solutions_are_those_of_the_dense_matrix() -> None:
    small = small_system()
    found = small.system(small.b).reshape(-1)
    torch.testing.assert_close(found, small.dense @ small.b.reshape(-1), rtol=0.0, atol=1e-12)  # rounding
    x, steps = conjugate_gradients(small.system, small.regulariser.precondition, small.b, n_steps=100, tolerance=1e-12)
    exact = torch.linalg.solve(small.dense, small.b.reshape(-1))
    torch.testing.assert_close(x.reshape(-1), exact, rtol=1e-9, atol=1e-10)  # the tolerance, times a condition of 100
    assert steps <= 5 + 2  # M^-1 A is the unit matrix but for the rank of H: one for each of five points, two classes


def test_without_data_the_preconditioner_solves_in_one_step() -> None:
    regulariser = DepthRegulariser(8, 0.5, alpha=0.1, eps=0.1, like=normal(1))
    b = normal(8, 3)
    x, steps = conjugate_gradients(regulariser.gradient, regulariser.precondition, b, n_steps=9, tolerance=1e-10)
    assert steps == 1
    torch.testing.assert_close(regulariser.M @ x, b)


@pytest.mark.parametrize("make", [hamiltonian_net, antisymmetric_net])
def test_the_objective_falls_at_every_turn(make: object) -> None:
    net = make(PointShape(width=4, layers=8), generator=seeded()).double()
    own = flows_of(net)[0].gradient
    update = NewtonPcg(net, alpha=1e-3)
    history = fit(update, [ellipses(200, generator=seeded())], n_steps=8)
    losses = history.series("loss")
    assert all(later < earlier for earlier, later in pairwise(losses))
    assert losses[-1] < 0.5 * losses[0]
    assert flows_of(net)[0].gradient is own
    assert isinstance(own, Backprop) == (make is antisymmetric_net)


def test_a_line_search_that_finds_nothing_stays() -> None:
    assert armijo(lambda s: 1.0 + s, 1.0, -1.0) == 0.0
    assert armijo(lambda s: (1.0 - s) ** 2, 1.0, -2.0) == 1.0
    assert armijo(lambda s: (1.0 - 4.0 * s) ** 2, 1.0, -8.0) == 0.25


def test_nets_of_another_form_are_refused() -> None:
    for net in (
        neural_ode(PointShape(), generator=seeded()),
        flows_of(antisymmetric_net(PointShape(), generator=seeded()))[0],
    ):
        with pytest.raises(UsageError, match="is no linear head on the features of one layered flow"):
            NewtonPcg(net)
    with pytest.raises(UsageError, match="holds no Flow"):
        NewtonPcg(nn.Linear(2, 2))
