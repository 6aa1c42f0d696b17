"""The integrator: identities, what is saved, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from backbone.check import check
from backbone.dynamics import Autonomous, Layered, SemiLinear, Shared
from backbone.endpoint import AfterSteps
from backbone.errors import Diverged, UsageError
from backbone.flow import Flow
from backbone.gradients import Backprop, Checkpoint, Gradient
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import ETDRK4, RK4, Euler, Heun, ImplicitTrapezoid, Midpoint, Scheme

SCHEMES = [Euler, Midpoint, Heun, RK4, ImplicitTrapezoid, ETDRK4]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def branch(seed: int, width: int = 3) -> Autonomous:
    """A residual branch with known weights."""
    net = nn.Sequential(nn.Linear(width, 8), nn.Tanh(), nn.Linear(8, width)).double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight.copy_(0.5 * normal(*weight.shape, seed=10 * seed + k))
    return Autonomous(net)


def decay() -> Shared:
    return Shared(SemiLinear(torch.tensor([-1.0], dtype=torch.float64), lambda t, y: 0 * y))


def test_euler_with_spacing_one_is_a_residual_stack_bit_for_bit() -> None:
    branches = [branch(k) for k in range(5)]
    grid = Grid.uniform(0.0, 5.0, 5)
    x0 = normal(4, 3)
    x = x0
    for block in branches:
        x = x + block.net(x)
    assert torch.equal(integrate(Layered(branches, grid), x0, grid, Euler()).ys, x)


def test_flow_is_integrate_and_owns_the_weights() -> None:
    grid = Grid.uniform(0.0, 1.0, 3)
    f = Layered([branch(k) for k in range(3)], grid)
    flow = Flow(f, grid, Heun(), gradient=Checkpoint(2), save="all")
    out = flow(normal(2, 3))
    assert torch.equal(out.ys, integrate(f, normal(2, 3), grid, Heun(), save="all").ys)
    assert sum(weight.numel() for weight in flow.parameters()) == 3 * (3 * 8 + 8 + 8 * 3 + 3)


def test_layered_weights_keep_the_order_of_rk4_on_refined_layers() -> None:
    layers = Grid.uniform(0.0, 2.0, 4)
    f = Layered([branch(k) for k in range(4)], layers)
    ends = [integrate(f, normal(2, 3), layers.refine(m), RK4()).ys.detach() for m in (2, 4, 64)]
    errors = [float((end - ends[-1]).abs().max()) for end in ends[:-1]]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(4.0, abs=0.2)  # weights looked up by t would give 1


def test_save_all_holds_every_state_and_save_last_the_end() -> None:
    grid = Grid.uniform(0.0, 1.0, 4)
    every = integrate(decay(), normal(2, 1), grid, RK4(), save="all")
    last = integrate(decay(), normal(2, 1), grid, RK4())
    assert every.ts == grid.ts
    assert every.ys.shape == (5, 2, 1)
    assert last.ts == (1.0,)
    assert torch.equal(every.ys[-1], last.ys)
    assert torch.equal(every.ys[0], normal(2, 1))
    assert every.stopped_at.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("scheme", "per_step"), [(Euler, 1), (Midpoint, 2), (Heun, 2), (RK4, 4), (ETDRK4, 4)])
def test_evaluations_are_counted(scheme: type[Scheme], per_step: int) -> None:
    calls = []

    def count(t: float, y: Tensor) -> Tensor:
        calls.append(t)
        return 0 * y

    f = Shared(SemiLinear(torch.zeros(1, dtype=torch.float64), count))
    out = integrate(f, normal(2, 1), Grid.uniform(0.0, 1.0, 5), scheme())
    assert out.n_evals == len(calls) == 5 * per_step


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("gradient", [Backprop(), Checkpoint(3)])
def test_the_first_state_that_is_not_finite_raises_diverged(bad: float, gradient: Gradient) -> None:
    f = Shared(lambda t, y: y * (bad if t > 0.45 else 1.0))
    with pytest.raises(Diverged, match=r"after step 5, t=0\.6") as caught:
        integrate(f, torch.ones(2, 1, dtype=torch.float64), Grid.uniform(0.0, 1.0, 10), Euler(), gradient=gradient)
    assert caught.value.step == 5
    assert caught.value.t == 0.6
    assert caught.value.exit_code == 6


def test_a_sum_that_overflows_is_no_divergence() -> None:
    y0 = torch.full((4, 1), 1e308, dtype=torch.float64)
    assert torch.equal(integrate(Shared(lambda t, y: 0 * y), y0, Grid.uniform(0.0, 1.0, 1), Euler()).ys, y0)


def two_layers() -> Layered:
    return Layered([branch(0), branch(1)], Grid.uniform(0.0, 1.0, 2))


NORMALISED = Shared(Autonomous(nn.BatchNorm1d(1).double()))
COMPLEX = Shared(SemiLinear(torch.tensor([1j]), lambda t, y: 0 * y))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"save": "some"}, "save='some' is unknown"),
        ({"y0": torch.ones(2, 1, dtype=torch.int64)}, "the state is torch.int64"),
        ({"y0": torch.ones(0, 1)}, r"the state has shape \(0, 1\)"),
        ({"f": Shared(lambda t, y: y), "scheme": ETDRK4()}, "ETDRK4 steps a SemiLinear, the dynamics give a function"),
        ({"f": COMPLEX}, "cannot hold its product"),
        ({"f": NORMALISED, "gradient": Checkpoint(2)}, "BatchNorm in training with Checkpoint"),
        ({"f": two_layers(), "grid": Grid.uniform(0.0, 2.0, 4)}, "lies in no single layer"),
    ],
)
def test_combinations_without_sense_are_refused_before_the_first_step(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "f": decay(),
        "y0": torch.ones(2, 1, dtype=torch.float64),
        "grid": Grid.uniform(0.0, 1.0, 2),
        "scheme": RK4(),
        "gradient": Backprop(),
        "save": "last",
        **change,
    }
    with pytest.raises(UsageError, match=message):
        check(**given)


def test_integrate_checks_and_a_step_across_layers_is_refused() -> None:
    y0 = normal(2, 3)
    with pytest.raises(UsageError, match="ETDRK4 steps a SemiLinear"):
        integrate(two_layers(), y0, Grid.uniform(0.0, 1.0, 2), ETDRK4())
    with pytest.raises(UsageError, match=r"\[0.333333, 0.666667\] lies in no single layer"):
        integrate(two_layers(), y0, Grid.uniform(0.0, 1.0, 3), Euler())


def test_as_many_fields_as_steps() -> None:
    with pytest.raises(UsageError, match="2 fields for 3 steps"):
        Layered([branch(0), branch(1)], Grid.uniform(0.0, 1.0, 3))


class OnlyOn(TorchDispatchMode):
    """Fails when an operation gives a tensor of another device."""

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else [out]:
            if isinstance(tensor, Tensor):
                assert tensor.device.type == self.device, f"{func} made a tensor on {tensor.device}"
        return out


@pytest.mark.parametrize("gradient", [Backprop(), Checkpoint(2)])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_tensor_is_made_on_an_implicit_device(scheme: type[Scheme], gradient: Gradient) -> None:
    """With the default device elsewhere, everything still happens where the inputs are."""
    grid = Grid.uniform(0.0, 1.0, 3)
    until = AfterSteps(torch.tensor([1, 3, 2]), grid)
    linear = torch.tensor([-1.0, -2.0], dtype=torch.float64, requires_grad=True)
    f = Shared(SemiLinear(linear, lambda t, y: torch.sin(y)))
    y0 = normal(3, 2)
    expected = integrate(f, y0, grid, scheme(), until=until, save="all").ys
    with torch.device("meta"), OnlyOn("cpu"):
        out = integrate(f, y0, grid, scheme(), until=until, gradient=gradient, save="all").ys
        (slope,) = torch.autograd.grad(out.sum(), linear)
    assert torch.equal(out, expected)
    assert slope.device.type == "cpu"
