"""The stability report against matrices whose eigenvalues are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from backbone.dynamics import Shared
from backbone.grid import Grid
from backbone.landscape import landscape, square
from backbone.schemes import RK4, Leapfrog
from backbone.stability import eigenvalues, stability_report
from backbone.structured import SecondOrder

DOUBLE = torch.float64
TURN = torch.tensor([[-0.5, -3.0], [3.0, -0.5]], dtype=DOUBLE)  # eigenvalues -1/2 +- 3i


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)


def test_a_linear_field_has_the_eigenvalues_of_its_matrix_and_the_growth_of_its_flow() -> None:
    report = stability_report(Shared(lambda t, y: y @ TURN.T), normal(5, 2), Grid.uniform(0.0, 1.0, 200), RK4())
    assert report.real_part == pytest.approx(-0.5, abs=1e-12)
    assert report.step_radius == pytest.approx(math.hypot(0.5, 3.0) / 200, abs=1e-12)
    assert report.growth == pytest.approx(math.exp(-0.5), abs=1e-6)  # differences keep half of the digits


def test_every_sample_and_every_step_counts() -> None:
    y0 = torch.tensor([[0.0, 0.0], [2.0, 1.0]], dtype=DOUBLE)
    values = eigenvalues(lambda t, y: y**2, 0.0, y0)
    assert sorted(values[1].real.tolist()) == pytest.approx([2.0, 4.0])
    assert values[0].abs().max() == 0.0
    grown = stability_report(Shared(lambda t, y: t * y), y0, Grid.uniform(0.0, 4.0, 4))
    assert grown.real_part == pytest.approx(3.0)  # at the start of the last step


@pytest.mark.parametrize(("stiffness", "real"), [(-4.0, 0.0), (4.0, 2.0)])
def test_a_force_has_rates(stiffness: float, real: float) -> None:
    force = SecondOrder(lambda t, y: stiffness * y)
    report = stability_report(Shared(force), normal(3, 2), Grid.uniform(0.0, 1.0, 10), Leapfrog())
    assert report.real_part == pytest.approx(real, abs=1e-12)
    assert report.step_radius == pytest.approx(0.2, abs=1e-12)


def test_the_landscape_is_low_at_its_target_and_high_where_layers_grow() -> None:
    found = landscape(square(9))  # steps of 1/2
    target = (found.theta == 1.0).all(1)
    assert float(found.loss[target]) == 0.0
    # the eigenvalues are 0 and -3 (theta1 + theta2) / 2 +- an imaginary part
    wanted = torch.clamp(-1.5 * found.theta.sum(1), min=0.0)
    torch.testing.assert_close(found.growth, wanted, rtol=0.0, atol=1e-7)  # double zeros: roots of roundings
    stable = found.theta.sum(1) > 0.25
    assert float(found.loss[stable].max()) < 1.0 < float(found.loss[found.theta.sum(1) < -0.25].min())


def test_images_are_states_too() -> None:
    values = eigenvalues(lambda t, y: -y, 0.0, normal(2, 1, 3, 3))
    assert values.shape == (2, 9)
    torch.testing.assert_close(values.real, torch.full((2, 9), -1.0, dtype=DOUBLE))
