"""Block coordinate descent: exact Newton for the classifier, Gauss-Newton for the layers, an objective that falls."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev
from torch.nn import functional

from backbone.checks.examples import normal, seeded
from backbone.errors import UsageError
from backbone.gradients import Backprop
from backbone.nets.antisymmetric import antisymmetric_net
from backbone.nets.hamiltonian import hamiltonian_net
from backbone.nets.neural_ode import neural_ode
from backbone.nets.points import PointNet, PointShape
from backbone.synthetic import ellipses
from backbone.train.fit import fit
from backbone.train.gauss_newton import DepthRegulariser, GaussNewton, conjugate_gradients
from backbone.train.line_search import armijo
from backbone.train.newton_pcg import NewtonPcg
from backbone.train.numerics import flows_of
from backbone.train.softmax import Softmax, newton


def small_net(layers: int = 4) -> PointNet:
    return antisymmetric_net(PointShape(width=4, layers=layers), generator=seeded()).double()


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


def dense_gauss_newton(net: PointNet, points: Tensor, W: Tensor, regulariser: DepthRegulariser) -> Tensor:
    """J^T H J + M with J and H by autograd, weights layer after layer."""
    fields = flows_of(net)[0].f.fields
    names = [name for name, _ in net.named_parameters() if "fields" in name]

    def features(*weights: Tensor) -> Tensor:
        return functional_call(net, dict(zip(names, weights, strict=True)), (points,)).reshape(-1)

    net.forward = net.features  # type: ignore[method-assign]
    blocks = jacrev(features, argnums=tuple(range(len(names))))(*[dict(net.named_parameters())[n] for n in names])
    J = torch.cat([block.flatten(1) for block in blocks], dim=1)
    z = net.features(points).detach()
    labels = torch.zeros(len(points), dtype=torch.long)
    H = torch.autograd.functional.hessian(
        lambda flat: functional.cross_entropy(flat.reshape(z.shape) @ W.T, labels), z.reshape(-1)
    )
    per_step = J.shape[1] // len(fields)
    return J.T @ H @ J + torch.kron(regulariser.M, torch.eye(per_step, dtype=J.dtype))


def test_products_with_the_gauss_newton_matrix_are_those_with_the_dense_one() -> None:
    net, points, W = small_net(), normal(5, 2), normal(2, 4, seed=2)
    layers = [list(field.parameters()) for field in flows_of(net)[0].f.fields]
    regulariser = DepthRegulariser(4, 1.25, alpha=0.1, eps=0.5, like=W)
    z = net.features(points)
    system = GaussNewton(z, layers, W, (z @ W.T).softmax(1).detach(), regulariser)
    v = normal(4, sum(weight.numel() for weight in layers[0]), seed=3)
    dense = dense_gauss_newton(net, points, W, regulariser)
    torch.testing.assert_close(system(v).reshape(-1), dense @ v.reshape(-1), rtol=0.0, atol=1e-12)  # rounding

    x, steps = conjugate_gradients(system, regulariser.precondition, v, n_steps=100, tolerance=1e-12)
    torch.testing.assert_close(x.reshape(-1), torch.linalg.solve(dense, v.reshape(-1)), rtol=1e-9, atol=1e-10)
    assert steps <= 2 * points.numel() + 2  # M^-1 A is the unit matrix but for the rank of J: 4 features of 5 points


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
    for net in (neural_ode(PointShape(), generator=seeded()), flows_of(small_net())[0]):
        with pytest.raises(UsageError, match="is no linear head on the features of one layered flow"):
            NewtonPcg(net)
    with pytest.raises(UsageError, match="holds no Flow"):
        NewtonPcg(nn.Linear(2, 2))
