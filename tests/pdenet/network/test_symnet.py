from __future__ import annotations

import numpy as np
import pytest
import sympy  # noqa: TID253 - the outside oracle
import torch

from backbone.errors import ResourceError
from pdenet.equations.terms import Factor, Term
from pdenet.network.symnet import SymNet

CPU = torch.device("cpu")
BURGERS = [Factor(name, word) for word in ("", "x", "y", "xx", "xy", "yy") for name in ("u", "v")]


def symnet(inputs: list[Factor], outputs: tuple[str, ...] = ("u", "v"), hidden: int = 5, seed: int = 0) -> SymNet:
    generator = torch.Generator().manual_seed(seed)
    return SymNet(inputs, outputs, hidden=hidden, generator=generator, dtype=torch.float64, device=CPU)


def points(net: SymNet, n: int = 100) -> torch.Tensor:
    generator = torch.Generator().manual_seed(9)
    return 2 * torch.rand(len(net.inputs), n, generator=generator, dtype=torch.float64) - 1


def test_size_and_start_are_the_papers() -> None:
    net = symnet(BURGERS)
    weights = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
    assert len(weights) == 2 * 168
    # 336 draws: their spread is within 5 / sqrt(2 * 336) of .1, their mean within 5 / sqrt(336) spreads of 0
    assert weights.std().item() == pytest.approx(0.1, rel=0.2)
    assert abs(weights.mean().item()) < 0.03
    assert torch.equal(weights, torch.nn.utils.parameters_to_vector(symnet(BURGERS).parameters()))


@pytest.mark.parametrize("hidden", [0, 1, 2, 3])
def test_expansion_equals_the_network(hidden: int) -> None:
    net = symnet([Factor("u"), Factor("u", "x"), Factor("u", "xx")], hidden=hidden)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(5.0)  # all degrees up to 2^hidden count
    x = points(net)
    values = net(x).detach().numpy()
    for polynomial, wanted in zip(net.expand(), values, strict=True):
        assert polynomial.dropped == 0.0
        assert polynomial.exponents.sum(1).max() == 2**hidden
        # at most 165 monomials of coefficients up to 100
        np.testing.assert_allclose(polynomial(x.numpy()), wanted, rtol=0, atol=1e-12 * max(1.0, polynomial.norm))


def test_expansion_agrees_with_computer_algebra() -> None:
    net = symnet([Factor("u"), Factor("u", "x")], ("u",), hidden=2)
    linear, lower = net.linear[0].tolist(), net.lower[0].tolist()
    x = sympy.symbols("u u_x")
    f: list[sympy.Expr] = []

    def row(r: int) -> sympy.Expr:
        return (
            linear[r][0] * x[0]
            + linear[r][1] * x[1]
            + linear[r][2]
            + sum(c * g for c, g in zip(lower[r], f, strict=False))
        )

    for k in range(2):
        f.append(row(2 * k) * row(2 * k + 1))
    wanted = sympy.Poly(sympy.expand(row(4)), *x)
    found = net.polynomial()[0]
    assert len(found) == len(wanted.terms()) == 15
    for (i, j), coefficient in wanted.terms():
        term = Term.product([Factor("u")] * i + [Factor("u", "x")] * j)
        assert found[term] == pytest.approx(float(coefficient), abs=1e-16)  # round-off at coefficients below .1


def test_dense_network_expands_to_a_tolerance_with_a_proven_bound() -> None:
    net = symnet(BURGERS)
    x = points(net)
    values = net(x).detach().numpy()
    bounds = []
    for tolerance in (1e-5, 1e-7):
        rows = net.expand(tolerance)
        error = [np.abs(p(x.numpy()) - wanted).max() for p, wanted in zip(rows, values, strict=True)]
        assert all(0 < e <= p.dropped for e, p in zip(error, rows, strict=True))
        bounds.append(max(p.dropped for p in rows))
    assert bounds[1] < bounds[0] / 3
    with pytest.raises(ResourceError, match="products of terms"):
        net.expand()


def test_a_pruned_network_of_full_size_expands_exactly() -> None:
    net = symnet(BURGERS)
    keep = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(torch.rand(p.shape, generator=keep, dtype=p.dtype) < 0.2)
    x = points(net)
    for polynomial, wanted in zip(net.expand(), net(x).detach().numpy(), strict=True):
        np.testing.assert_allclose(polynomial(x.numpy()), wanted, rtol=0, atol=1e-15)  # values below .2, rounded


def test_equations_show_the_largest_terms_first() -> None:
    net = symnet([Factor("u"), Factor("u", "x"), Factor("u", "xx")], ("u",), hidden=1)
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
        net.linear[0, 0, 0] = 2.0  # a = 2 u
        net.linear[0, 1, 1] = -0.5  # b = -u_x / 2
        net.linear[0, 2, 2] = 0.05
        net.linear[0, 2, 3] = 1e-4
        net.packed[0, 0] = 1.0
    (equation,) = net.to_equations(threshold=1e-3)
    assert equation.to_text() == "u_t = -u*u_x + 0.05*u_xx"
    (complete,) = net.to_equations(threshold=0.0)
    assert complete.to_text() == "u_t = -u*u_x + 0.05*u_xx + 0.0001"


def test_slopes_are_partial_derivatives_of_each_output() -> None:
    net = symnet(BURGERS[:6], hidden=3)
    x = points(net, 12).reshape(6, 3, 4).requires_grad_()
    wanted = torch.tensor([[2, 4], [5, 0]])
    slopes = net.slopes(x, wanted)
    assert not slopes.requires_grad
    assert slopes.shape == (2, 2, 3, 4)
    for k in range(2):
        (gradient,) = torch.autograd.grad(net(x)[k].sum(), x)
        torch.testing.assert_close(slopes[k], gradient[wanted[k]], rtol=1e-12, atol=1e-14)  # round-off


def test_nothing_is_made_on_the_default_device() -> None:
    with torch.device("meta"):
        net = symnet(BURGERS[:3])
        x = torch.ones(3, 5, dtype=torch.float64, device=CPU)
        net(x).sum().backward()
        assert net.slopes(x, torch.zeros(2, 1, dtype=torch.long, device=CPU)).device == CPU
    assert all(p.grad is not None and p.grad.device == CPU for p in net.parameters())
