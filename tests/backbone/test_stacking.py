"""Many fields as one, and control on finer grids."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from backbone.checks.examples import normal, seeded
from backbone.control import PiecewiseLinear
from backbone.dynamics import Autonomous, Dynamics, Layered, Shared, VectorField
from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.layers import Antisymmetric, hamiltonian
from backbone.nets.frame import pre_activation
from backbone.nets.neural_ode import TimeField
from backbone.operators import Dense
from backbone.schemes import Euler
from backbone.structured import Separable, Split

GRID = Grid.uniform(0.0, 2.0, 4)


def dense(seed: int) -> Dense:
    return Dense(3, 3, generator=seeded(seed), dtype=torch.float64)


def timed(seed: int, width: int = 3) -> TimeField:
    return TimeField(width, 5, seeded(seed)).double()


@pytest.mark.parametrize("f", [Layered([timed(k) for k in range(4)], GRID), Shared(timed(0))])
def test_stacked_steps_are_the_steps_one_by_one(f: Dynamics) -> None:
    y = normal(4, 2, 3)
    together = f.stacked(GRID.steps)(0.25, y.flatten(0, 1)).reshape(4, 2, 3)
    alone = torch.stack([f.on(*step)(step[0] + 0.25, y[k]) for k, step in enumerate(GRID.steps)])
    torch.testing.assert_close(together, alone, rtol=0.0, atol=1e-14)  # the order of a sum of five


def test_a_stack_has_the_structure_of_its_fields() -> None:
    separable = Layered([hamiltonian(dense(k), dense(k + 4)) for k in range(4)], GRID).stacked(GRID.steps)
    assert isinstance(separable, Separable)
    split = Shared(Split(timed(0), timed(1))).stacked(GRID.steps)
    assert isinstance(split, Split)
    assert split.late is None


class Alternating(Dynamics):
    """A field made anew for every step."""

    def on(self, t0: float, t1: float) -> VectorField:
        return lambda t, y: t0 * y


def test_fields_that_show_no_weights_are_refused() -> None:
    with pytest.raises(UsageError, match="shows no weights to stack"):
        Alternating().stacked(GRID.steps)
    with pytest.raises(UsageError, match="differ in more than their weights"):
        Layered([timed(0), Antisymmetric(dense(1)), timed(2), timed(3)], GRID).stacked(GRID.steps)
    with pytest.raises(UsageError, match="Alternating says nothing of its weights"):
        Alternating().prolong(GRID, GRID.refine(2))


def bump(layer: nn.Module, value: float) -> nn.Module:
    with torch.no_grad():
        for weight in layer.parameters():
            weight.fill_(value)
    return layer


def test_layers_are_prolonged_linearly_between_the_middles_of_steps() -> None:
    coarse = Layered([bump(Antisymmetric(dense(0)), k) for k in range(4)], GRID)
    fine = coarse.prolong(GRID, GRID.refine(2))
    values = [float(field.b[0].detach()) for field in fine.fields]
    assert values == pytest.approx([0.0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3.0])
    back = Layered(list(coarse.fields), Grid(GRID.ts[::-1])).prolong(GRID, Grid(GRID.refine(2).ts[::-1]))
    assert [float(field.b[0].detach()) for field in back.fields] == pytest.approx(values)
    fine.fields[0].b.data.fill_(7.0)
    assert float(coarse.fields[0].b[0].detach()) == 0.0  # weights of its own


def test_layers_with_statistics_are_copied() -> None:
    coarse = Layered([Autonomous(pre_activation(2, seeded(k))) for k in range(2)], Grid.uniform(0.0, 2.0, 2))
    fine = coarse.prolong(coarse.grid, coarse.grid.refine(2))
    for k, field in enumerate(fine.fields):
        for weight, origin in zip(field.parameters(), coarse.fields[k // 2].parameters(), strict=True):
            assert torch.equal(weight, origin)


def test_one_layer_and_shared_weights_are_prolonged() -> None:
    one = Layered([timed(0)], Grid((0.0, 1.0)))
    assert len(one.prolong(one.grid, one.grid.refine(4)).fields) == 4
    shared = Shared(timed(0))
    assert shared.prolong(GRID, GRID.refine(2)) is shared


def test_nodes_are_prolonged_exactly() -> None:
    coarse = PiecewiseLinear([timed(k) for k in range(3)], Grid.uniform(0.0, 2.0, 2))
    fine = coarse.prolong(GRID, GRID.refine(2))
    assert len(fine.fields) == 5
    ends = [integrate(f, normal(2, 3), GRID.refine(2), Euler()).ys for f in (coarse, fine)]
    torch.testing.assert_close(ends[0], ends[1], rtol=0.0, atol=1e-14)  # rounding of lerp
