"""Muon against the singular value decomposition, and on a problem where plain momentum crawls."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from backbone.errors import UsageError
from backbone.train.muon import Muon, orthogonal


@pytest.mark.parametrize("shape", [(8, 8), (5, 40), (40, 5)])
def test_the_step_has_the_singular_vectors_of_the_gradient_and_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    u, s, vt = torch.linalg.svd(matrix, full_matrices=False)
    inner = u.T @ orthogonal(matrix) @ vt.T
    # five iterations of the quintic leave the values in 0.68 ... 1.21 from 1 down to 0.01 of the norm (Jordan et al.)
    assert (s / s.norm()).min() > 0.01
    assert inner.diagonal().min() > 0.65
    assert inner.diagonal().max() < 1.25
    assert (inner - inner.diagonal().diag()).abs().max() < 1e-12  # float64 rounding of 10 products


def test_a_zero_gradient_moves_nothing() -> None:
    assert torch.equal(orthogonal(torch.zeros(3, 7)), torch.zeros(3, 7))


def test_the_step_does_not_know_the_scale_of_the_loss() -> None:
    moved = []
    for scale in (1.0, 1024.0):  # a power of two: no rounding between the two
        kernel = nn.Parameter(torch.ones(4, 2, 3, 3))
        optimiser = Muon([kernel], lr=0.1)
        (scale * kernel.flatten(1).cumsum(1).square().sum()).backward()
        optimiser.step()
        moved.append(kernel.detach().clone())
    assert torch.equal(*moved)


def test_an_ill_conditioned_quadratic_is_solved() -> None:
    weights = torch.logspace(0, -4, 6, dtype=torch.float64)  # curvatures from 1 to 1e-4
    target = torch.randn(6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = nn.Parameter(torch.zeros(6, 6, dtype=torch.float64))
    optimiser = Muon([matrix], lr=0.1)
    for step in range(300):
        optimiser.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        optimiser.zero_grad()
        loss = (weights[:, None] * (matrix - target).square()).sum()
        loss.backward()
        optimiser.step()
    # gradient descent at its largest stable step would have left 97 % of the error along the flattest row
    assert (matrix - target)[-1].norm() < 0.1 * target[-1].norm()


@pytest.mark.parametrize(("decay", "lowest", "highest"), [(0.0, 12.0, 24.0), (0.5, 1.4, 2.4)])
def test_weight_decay_bounds_singular_values(decay: float, lowest: float, highest: float) -> None:
    matrix = nn.Parameter(torch.zeros(4, 4, dtype=torch.float64))
    optimiser = Muon([matrix], lr=0.1, weight_decay=decay)
    for _ in range(200):
        matrix.grad = -torch.eye(4, dtype=torch.float64)  # it asks for more of the same, for ever
        optimiser.step()
    values = torch.linalg.svdvals(matrix.detach())
    assert lowest < values.min() <= values.max() < highest  # 200 lr or 1 / decay, times the 0.7 to 1.2 of a step


def test_vectors_are_refused() -> None:
    with pytest.raises(UsageError, match="no matrix"):
        Muon([nn.Parameter(torch.zeros(3))], lr=0.1)


@pytest.mark.parametrize("size", [1e-38, 1e-30, 1.0, 1e30])
def test_matrix_of_any_size_gives_the_same_step(size: float) -> None:
    matrix = torch.randn(64, 256, generator=torch.Generator().manual_seed(0))
    expected = orthogonal(matrix)
    # 1e-38 is stored with fewer digits: subnormal numbers
    torch.testing.assert_close(orthogonal(matrix * size), expected, rtol=0.0, atol=1e-3)
