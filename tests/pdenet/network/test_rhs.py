from __future__ import annotations

from math import log2

import numpy as np
import pytest
import torch

from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import RK4, Euler
from pdenet.equations.terms import Factor
from pdenet.fields.field import Field
from pdenet.filters.filter_bank import FilterBank
from pdenet.network.rhs import LearnedPDE, multi_index
from pdenet.network.symnet import SymNet

CPU = torch.device("cpu")
EXACT = {"dtype": torch.float64, "device": CPU}


def linear_pde(coefficients: dict[str, float], *, n: int = 32, upwind: bool = False) -> LearnedPDE:
    """u_t = sum of coefficients times derivatives of u on a periodic line of length 2 pi."""
    words = sorted(coefficients, key=len)
    filters = FilterBank(
        [multi_index(word, ("x",)) for word in words],
        dx=(2 * np.pi / n,),
        boundary=("periodic",),
        mode="frozen",
        stencil="upwind" if upwind else "accurate",
        **EXACT,
    )
    inputs = [Factor("u", word) for word in words]
    response = SymNet(inputs, ("u",), hidden=0, generator=torch.Generator().manual_seed(0), **EXACT)
    with torch.no_grad():
        response.linear[0, 0] = torch.tensor([*(coefficients[word] for word in words), 0.0], **EXACT)
    return LearnedPDE(filters, response, upwind=upwind)


def burgers(n: int = 32) -> Field:
    x = 2 * np.pi * np.arange(n) / n
    u = np.sin(x)[:, None] * np.cos(x) + 0.3
    v = np.cos(x[:, None] + x)
    return Field(
        values=np.stack([u, v])[None, None], dt=0.01, dx=(x[1], x[1]), names=("u", "v"), boundary=("periodic",) * 2
    )


def untrained(field: Field, **options: object) -> LearnedPDE:
    return LearnedPDE.of(field, **options, generator=torch.Generator().manual_seed(0), **EXACT)


@pytest.mark.parametrize("upwind", [False, True])
def test_dt_block_is_an_euler_step_bit_for_bit(upwind: bool) -> None:
    field = burgers()
    model = untrained(field, upwind=upwind, stencil="upwind")
    u = torch.as_tensor(field.values[:, 0])
    with torch.no_grad():
        by_hand = u
        for _ in range(2):
            values, turned = model.filters.both_sides(by_hand)
            if upwind:
                inputs = values.flatten(0, 1)  # u, v, u_x, v_x, u_y, v_y, ...: first derivatives are filters 1 and 2
                own = torch.tensor([[2, 4], [3, 5]])
                slopes = model.response.slopes(inputs, own)
                for row, index in enumerate((1, 2)):
                    for channel in range(2):
                        keep = slopes[channel, row] > 0
                        values[index, channel] = torch.where(keep, values[index, channel], turned[row, channel])
            rate = model.response(values.flatten(0, 1)).transpose(0, 1)
            by_hand = by_hand + 0.5 * rate
        stepped = integrate(model, u, Grid((0.0, 0.5, 1.0)), Euler(), save="last").ys
    assert torch.equal(stepped, by_hand)


def test_inputs_are_named_in_the_order_they_are_computed() -> None:
    field = burgers()
    model = untrained(field, order=2)
    axes = field.coordinates()
    y, x = axes["y"][:, None], axes["x"]
    u, v = np.sin(y) * np.cos(x) + 0.3, np.cos(y + x)
    exact = {
        "u": u, "u_x": -np.sin(y) * np.sin(x), "u_y": np.cos(y) * np.cos(x), "u_xx": 0.3 - u, "u_yy": 0.3 - u,
        "u_xy": -np.cos(y) * np.sin(x), "v": v, "v_x": -np.sin(y + x), "v_y": -np.sin(y + x), "v_xx": -v, "v_yy": -v,
        "v_xy": -v,
    }  # fmt: skip
    values = model.filters(torch.as_tensor(field.values[:, 0])).flatten(0, 1)
    assert len(values) == len(model.response.inputs) == len(exact)
    for factor, value in zip(model.response.inputs, values, strict=True):
        # fourth order at dx = .2: dx^4 / 30, times 16 at the worst where two waves add up
        assert np.abs(value[0].detach().numpy() - exact[str(factor)]).max() < 1e-3
    assert set(model.moments_by_name()) == {"", "x", "y", "xx", "xy", "yy"}
    assert model.moments_by_name()["xy"][1, 1] == 1.0


@pytest.mark.parametrize("speed", [1.5, -1.5])
def test_pseudo_upwind_looks_where_the_information_comes_from(speed: float) -> None:
    n = 32
    dx = 2 * np.pi / n
    model = linear_pde({"": 0.0, "x": speed}, n=n, upwind=True)
    u = torch.randn(3, 1, n, generator=torch.Generator().manual_seed(0), **EXACT)
    with torch.no_grad():
        rate = model.on(0.0, 1.0)(0.0, u)
    forward = (-3 * u + 4 * u.roll(-1, -1) - u.roll(-2, -1)) / (2 * dx)
    backward = (3 * u - 4 * u.roll(1, -1) + u.roll(2, -1)) / (2 * dx)
    # u_t = c u_x carries to the left for c > 0; values of order 1 / dx, rounded
    assert (rate - speed * (forward if speed > 0 else backward)).abs().max() < 1e-12
    wrong = speed * (backward if speed > 0 else forward)
    assert (rate - wrong).abs().max() > 1.0


def test_no_gradient_flows_through_the_switch() -> None:
    model = linear_pde({"": 0.0, "x": 1.5}, upwind=True)
    u = torch.randn(1, 1, 32, generator=torch.Generator().manual_seed(0), **EXACT)
    model.on(0.0, 1.0)(0.0, u).sum().backward()
    with torch.no_grad():
        values, _ = model.filters.both_sides(u)
    gradient = model.response.linear.grad
    assert gradient is not None
    expected = [values[0].sum(), values[1].sum(), torch.tensor(32.0)]  # as if the choice were a constant
    assert gradient[0, 0].tolist() == pytest.approx([float(value) for value in expected], abs=1e-11)  # sums of 32


@pytest.mark.parametrize(("scheme", "order"), [(Euler(), 1), (RK4(), 4)])
def test_the_integrator_keeps_its_order(scheme: Euler | RK4, order: int) -> None:
    n, rate = 16, -0.4 + 1.0j * 3
    model = linear_pde({"": 0.0, "x": 3.0, "xx": 0.4}, n=n)
    x = 2 * np.pi * np.arange(n) / n
    u = torch.as_tensor(np.exp(1j * x).real)[None, None]
    dx = 2 * np.pi / n
    # a Fourier mode is an eigenvector of the kernels: their symbols at k = 1
    first = 1j * (8 * np.sin(dx) - np.sin(2 * dx)) / (6 * dx)
    second = (-5 / 2 + 8 / 3 * np.cos(dx) - np.cos(2 * dx) / 6) / dx**2
    assert abs(3 * first + 0.4 * second - rate) < 0.01  # close to the PDE's own
    exact = torch.as_tensor((np.exp(3 * first + 0.4 * second) * np.exp(1j * x)).real)
    with torch.no_grad():
        error = [
            (integrate(model, u, Grid.uniform(0.0, 1.0, steps), scheme, save="last").ys - exact).abs().max().item()
            for steps in (64, 128)
        ]
    assert log2(error[0] / error[1]) == pytest.approx(order, abs=0.2)


def test_nothing_is_made_on_the_default_device() -> None:
    field = burgers(8)
    with torch.device("meta"):
        model = untrained(field, upwind=True)
        u = torch.as_tensor(field.values[:, 0], device=CPU)
        integrate(model, u, Grid((0.0, 0.01, 0.02)), RK4(), save="last").ys.sum().backward()
    assert all(p.device == CPU and p.grad is not None for p in model.parameters())
