"""Per-sample endpoints: frozen to the bit, compacted, differentiable, and asked about the whole batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from backbone.dynamics import Shared, VectorField
from backbone.endpoint import AfterSteps
from backbone.errors import UsageError
from backbone.gradients import Backprop, Checkpoint, Gradient
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import RK4, Euler, Memory, Scheme

GRID = Grid.uniform(0.0, 0.8, 8)
COUNTS = torch.tensor([3, 0, 8, 1, 5, 2, 7, 3])


def starts() -> Tensor:
    return torch.linspace(0.5, 1.5, 16, dtype=torch.float64).reshape(8, 2)


def pendulum(t: float, y: Tensor) -> Tensor:
    return torch.stack([y[:, 1], -torch.sin(y[:, 0])], dim=1)


@pytest.mark.parametrize("gradient", [Backprop(), Checkpoint(3)])
def test_stopped_samples_stay_bit_equal(gradient: Gradient) -> None:
    whole = integrate(Shared(pendulum), starts(), GRID, RK4(), save="all").ys
    out = integrate(
        Shared(pendulum), starts(), GRID, RK4(), until=AfterSteps(COUNTS, GRID), save="all", gradient=gradient
    )
    assert out.ys.shape == whole.shape
    for sample, count in enumerate(COUNTS.tolist()):
        assert torch.equal(out.ys[: count + 1, sample], whole[: count + 1, sample])
        assert torch.equal(out.ys[count:, sample], whole[count, sample].expand(9 - count, 2))
    assert out.stopped_at.tolist() == [GRID.ts[count] for count in COUNTS.tolist()]


def test_stopped_samples_leave_the_batch_at_once() -> None:
    sizes = []

    def field(t: float, y: Tensor) -> Tensor:
        sizes.append(len(y))
        return -y

    integrate(Shared(field), starts(), GRID, Euler(), until=AfterSteps(COUNTS, GRID))
    still = [int((k < COUNTS).sum()) for k in range(8)]
    assert sizes == still


def test_the_solve_ends_with_the_last_sample() -> None:
    out = integrate(Shared(pendulum), starts(), GRID, Euler(), until=AfterSteps(COUNTS % 4, GRID), save="all")
    assert out.ts == GRID.ts[:4]
    assert out.n_evals == 3
    still = integrate(Shared(pendulum), starts(), GRID, Euler(), until=AfterSteps(COUNTS * 0, GRID))
    assert torch.equal(still.ys, starts())
    assert still.n_evals == 0
    assert still.ts == (0.0,)


def test_an_endpoint_sees_the_whole_batch_and_a_stopped_sample_stays_stopped() -> None:
    seen = []

    def far(t: float, y: Tensor) -> Tensor:
        seen.append(y.shape)
        return (y[:, 0] > 1.0) & (t < 0.35)  # would let go again later

    y0 = torch.tensor([[0.5], [0.9], [2.0], [0.1]], dtype=torch.float64)
    out = integrate(Shared(lambda t, y: y), y0, GRID, Euler(), until=far)
    assert set(seen) == {torch.Size([4, 1])}
    # 0.9 * 1.1^2 > 1 at t = 0.2; 0.5 * 1.1^k > 1 first at k = 8, after the endpoint has let go
    assert out.stopped_at.tolist() == [0.8, 0.2, 0.0, 0.8]
    assert out.ys[2].item() == 2.0


@pytest.mark.parametrize("gradient", [Backprop(), Checkpoint(3)])
def test_gradients_see_the_steps_that_were_taken(gradient: Gradient) -> None:
    rate = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y0 = starts().requires_grad_()
    out = integrate(Shared(lambda t, y: rate * y), y0, GRID, Euler(), until=AfterSteps(COUNTS, GRID), gradient=gradient)
    by_rate, by_start = torch.autograd.grad(out.ys.sum(), [rate, y0])
    counts = COUNTS.double()
    growth = (1 + 0.1 * rate.detach()) ** counts  # y = (1 + h r)^n y0
    torch.testing.assert_close(by_start, growth[:, None].expand(8, 2), rtol=1e-14, atol=0.0)  # 8 steps of rounding
    slope = 0.1 * counts * growth / (1 + 0.1 * rate.detach())
    torch.testing.assert_close(by_rate, (slope[:, None] * starts()).sum(), rtol=1e-14, atol=0.0)


@dataclass(frozen=True)
class LastSlope(Memory):
    slope: Tensor | None = None

    def select(self, samples: Tensor) -> LastSlope:
        return self if self.slope is None else replace(self, slope=self.slope[samples])


class AB2(Scheme):
    """Adams-Bashforth, started by Euler: its memory has rows like the batch."""

    order: ClassVar[int] = 2

    def start(self, y: Tensor) -> Memory:
        return LastSlope()

    def step(self, f: VectorField, t0: float, t1: float, y: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        assert isinstance(memory, LastSlope)
        slope = f(t0, y)
        last = slope if memory.slope is None else memory.slope
        return y + (t1 - t0) * (1.5 * slope - 0.5 * last), replace(memory.after(1), slope=slope)


def test_a_scheme_with_history_is_compacted_with_its_samples() -> None:
    whole = integrate(Shared(pendulum), starts(), GRID, AB2(), save="all").ys
    out = integrate(Shared(pendulum), starts(), GRID, AB2(), until=AfterSteps(COUNTS, GRID))
    assert torch.equal(out.ys, whole[COUNTS, torch.arange(8)])


def test_checkpointing_carries_the_history_of_a_scheme() -> None:
    y0 = starts().requires_grad_()
    slopes = []
    for gradient in (Backprop(), Checkpoint(3)):
        end = integrate(Shared(pendulum), y0, GRID, AB2(), until=AfterSteps(COUNTS, GRID), gradient=gradient).ys
        slopes.append(torch.autograd.grad((end**2).sum(), y0)[0])
    assert torch.equal(slopes[0], slopes[1])


def test_counts_and_answers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="counts run from 0 to 9"):
        AfterSteps(torch.tensor([0, 9]), GRID)
    with pytest.raises(UsageError, match="for a batch of 8"):
        integrate(Shared(pendulum), starts(), GRID, Euler(), until=lambda t, y: torch.zeros(1, dtype=torch.bool))
