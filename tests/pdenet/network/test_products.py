from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pdenet.network.products import ProductChain, chain, chain_back

EXACT = {"dtype": torch.float64, "device": torch.device("cpu")}


def weights(n_inputs: int, n_outputs: int, n_products: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    rows = 2 * n_products + 1
    x = torch.randn(n_inputs, 7, generator=generator, **EXACT)
    linear = torch.randn(n_outputs, rows, n_inputs + 1, generator=generator, **EXACT)
    lower = torch.randn(n_outputs, rows, n_products, generator=generator, **EXACT)
    return x, linear, lower * (torch.arange(n_products) < torch.arange(rows)[:, None] // 2)


def on_tape(x: Tensor, linear: Tensor, lower: Tensor) -> Tensor:
    """The definition, one product after another."""
    outputs = []
    for a, c in zip(linear, lower, strict=True):
        f: list[Tensor] = []
        for k in range(lower.shape[-1]):
            z = [a[r, :-1] @ x + a[r, -1] + sum(c[r, j] * f[j] for j in range(k)) for r in (2 * k, 2 * k + 1)]
            f.append(z[0] * z[1])
        outputs.append(a[-1, :-1] @ x + a[-1, -1] + sum(c[-1, j] * f[j] for j in range(len(f))))
    return torch.stack(outputs)


@pytest.mark.parametrize("n_products", [0, 1, 4])
def test_values_and_gradients_are_those_of_the_definition(n_products: int) -> None:
    arguments = [argument.requires_grad_() for argument in weights(3, 2, n_products)]
    found, expected = ProductChain.apply(*arguments), on_tape(*arguments)
    # sums of about 10 products, order by order: relative round-off
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    cotangent = torch.randn(found.shape, generator=torch.Generator().manual_seed(1), **EXACT)
    theirs = torch.autograd.grad(expected, arguments, cotangent, allow_unused=True)
    structure = (torch.arange(n_products) < torch.arange(2 * n_products + 1)[:, None] // 2).double()
    for ours, wanted, where in zip(
        torch.autograd.grad(found, arguments, cotangent), theirs, (1.0, 1.0, structure), strict=True
    ):
        if wanted is not None:
            torch.testing.assert_close(ours * where, wanted * where, rtol=1e-10, atol=1e-10)  # as above, degree 16


def test_gradient_against_finite_differences() -> None:
    arguments = [argument.requires_grad_() for argument in weights(2, 1, 2)]
    structure = torch.tensor([[0, 0], [0, 0], [1, 0], [1, 0], [1, 1]], **EXACT)
    assert torch.autograd.gradcheck(lambda x, a, c: ProductChain.apply(x, a, c * structure), arguments)


def test_row_derivatives_of_each_output_stand_alone() -> None:
    x, linear, lower = weights(3, 2, 3)
    z, _ = chain(x, linear, lower)
    back = chain_back(z, lower, torch.ones_like(z[:, -1]))
    x.requires_grad_()
    for k in range(2):
        (wanted,) = torch.autograd.grad(on_tape(x, linear, lower)[k].sum(), x)
        torch.testing.assert_close(linear[k, :, :-1].T @ back[k], wanted, rtol=1e-11, atol=1e-11)  # round-off
