from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import log2, prod

import numpy as np
import pytest
import torch
from jaxtyping import config
from torch import Tensor

from backbone.errors import UsageError
from pdenet.fields.field import Boundary
from pdenet.filters.filter_bank import FilterBank, MomentKernels
from pdenet.filters.moments import centred, moments_from_kernel, most_accurate

CPU = torch.device("cpu")
EXACT = {"dtype": torch.float64, "device": CPU}
FREQUENCIES, PHASES = (1.0, 2.0, 1.0), (0.3, 1.1, 2.0)


def multi_indices(n_dims: int, up_to: int) -> list[tuple[int, ...]]:
    return [one for one in product(range(up_to + 1), repeat=n_dims) if sum(one) <= up_to]


def wave(n: int, n_dims: int, boundary: Boundary) -> tuple[list[np.ndarray], float]:
    length = 2 * np.pi if boundary == "periodic" else 3.0
    dx = length / (n if boundary == "periodic" else n - 1)
    return [dx * np.arange(n)] * n_dims, dx


def product_of_sines(axes: Sequence[np.ndarray], derivative: Sequence[int]) -> Tensor:
    """D^derivative of prod_i sin(k_i x_i + phase_i): each derivative is k_i times a quarter period."""
    factors = [
        k**order * np.sin(k * x + phase + order * np.pi / 2)
        for x, order, k, phase in zip(axes, derivative, FREQUENCIES, PHASES, strict=False)
    ]
    values = factors[0]
    for factor in factors[1:]:
        values = values[..., None] * factor
    return torch.as_tensor(values)[None, None]


def errors(bank_of: FilterBank, n: int, boundary: Boundary) -> list[float]:
    axes, _ = wave(n, len(bank_of.boundary), boundary)
    found = bank_of(product_of_sines(axes, [0] * len(axes)))
    exact = [product_of_sines(axes, one) for one in bank_of.derivatives]
    return [(a - b).abs().max().item() for a, b in zip(found, exact, strict=True)]


def bank(derivatives: Sequence[tuple[int, ...]], n: int, boundary: Boundary, **options: object) -> FilterBank:
    n_dims = len(derivatives[0])
    _, dx = wave(n, n_dims, boundary)
    return FilterBank(derivatives, dx=(dx,) * n_dims, boundary=(boundary,) * n_dims, **options, **EXACT)


@pytest.mark.parametrize("boundary", ["periodic", "none"])
@pytest.mark.parametrize(("n_dims", "n"), [(1, 40), (2, 40), (3, 24)])
def test_every_derivative_up_to_order_4_has_its_order(n_dims: int, n: int, boundary: Boundary) -> None:
    derivatives = multi_indices(n_dims, 4)
    coarse, fine = (
        errors(bank(derivatives, points, boundary, size=5, mode="frozen"), points, boundary) for points in (n, 2 * n)
    )
    for one, before, after in zip(derivatives, coarse, fine, strict=True):
        if sum(one) == 0:
            assert after < 1e-14  # the identity, rounded
            continue
        # a centred kernel of 5 points: the first moment it cannot hold is the 5th or, by symmetry, the 6th
        expected = min(5 - order + (order % 2 == 0) for order in one if order > 0)
        dx_ratio = 2 if boundary == "periodic" else (2 * n - 1) / (n - 1)
        slope = log2(before / after) / log2(dx_ratio)
        assert slope == pytest.approx(expected, abs=0.2) or slope > expected, one
        # faster than expected only by walls whose one-sided part is of higher order and still dominates
        assert boundary == "none" or slope < expected + 0.2, one


@pytest.mark.parametrize("boundary", ["periodic", "none"])
@pytest.mark.parametrize("n_dims", [1, 2])
def test_learned_kernels_keep_the_order_they_are_held_to(n_dims: int, boundary: Boundary) -> None:
    derivatives = multi_indices(n_dims, 2)
    slopes = []
    n = 60
    for points in (n, 2 * n):
        learned = bank(derivatives, points, boundary, size=5, accuracy=2)
        with torch.no_grad():
            for p in learned.parameters():  # the same arbitrary free moments on both grids
                p.copy_(0.5 + torch.rand(p.shape, generator=torch.Generator().manual_seed(4), dtype=p.dtype))
        slopes.append(errors(learned, points, boundary))
    ratio = 2 if boundary == "periodic" else (2 * n - 1) / (n - 1)
    for one, before, after in zip(derivatives, *slopes, strict=True):
        assert log2(before / after) / log2(ratio) == pytest.approx(2, abs=0.2), one


def test_next_to_a_wall_kernels_are_one_sided_stencils() -> None:
    one_sided = FilterBank([(1,), (2,), (3,), (4,)], dx=(1.0,), boundary=("none",), mode="frozen", **EXACT)
    impulses = torch.eye(12, **EXACT).reshape(12, 1, 12)
    stencils = one_sided(impulses)[:, 0, :, 0].detach()  # what every point weighs in the value at the wall
    assert stencils[:, 6:].abs().max() == 0
    for order, stencil in enumerate(stencils, start=1):
        # exact where the centred kernel is; even ones are exact for one degree more and so have no choice
        if order % 2 == 0:
            expected = most_accurate((order,), (tuple(range(6)),), **EXACT)
            assert (stencil[:6] - expected).abs().max() < 1e-12  # sums of about 20 products of sizes up to 50
        moments = moments_from_kernel(stencil[:6], (tuple(range(6)),))
        assert moments[:5].tolist() == pytest.approx([float(i == order) for i in range(5)], abs=1e-11)  # round-off


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam, torch.optim.LBFGS])
def test_fixed_moments_survive_any_optimiser(optimiser: type[torch.optim.Optimizer]) -> None:
    derivatives = multi_indices(2, 2)
    learned = FilterBank(derivatives, dx=(1.0, 1.0), boundary=("periodic",) * 2, accuracy=2, **EXACT)
    assert sum(p.numel() for p in learned.parameters()) == 105  # PDE-Net 2.0's count for six 5x5 filters
    held = learned.moments.detach().clone()
    u = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0), **EXACT)
    steps = optimiser(learned.parameters(), lr=0.01)

    def loss() -> Tensor:
        steps.zero_grad()
        value = (learned(u) - 1.0).square().mean()
        value.backward()
        return value

    for _ in range(5):
        steps.step(loss)
    change = (learned.moments.detach() - held).abs()
    orders = torch.arange(5)
    fixed = torch.stack([orders[:, None] + orders < sum(one) + 2 for one in derivatives])
    assert change[fixed].max() == 0
    assert change[~fixed].max() > 1e-3
    true_moments = moments_from_kernel(learned.kernels.detach(), (centred(5), centred(5)))
    # round-off of the way to the kernel and back: condition 50 per axis
    assert (true_moments - learned.moments).abs().max() < 1e-12 * learned.moments.abs().max()


def test_a_kernel_that_breaks_the_rule_is_corrected_when_assigned() -> None:
    learned = bank([(0, 1)], 16, "periodic", accuracy=2)
    wished = torch.randn(1, 5, 5, generator=torch.Generator().manual_seed(0), **EXACT)
    learned.kernels = wished
    moments = moments_from_kernel(learned.kernels.detach(), (centred(5), centred(5)))[0]
    wished_moments = moments_from_kernel(wished, (centred(5), centred(5)))[0]
    # round-off, see above
    assert (moments[3:] - wished_moments[3:]).abs().max() < 1e-11
    assert moments[0, :3].tolist() == pytest.approx([0, 1, 0], abs=1e-12)


def test_modes() -> None:
    count = {}
    for mode in ("frozen", "constrained", "free"):
        one = bank([(0, 1), (2, 0)], 16, "periodic", mode=mode, stencil="upwind")
        count[mode] = sum(p.numel() for p in one.parameters())
        assert one.kernels[0, 2].tolist() == pytest.approx([0, 0, -1.5, 2, -0.5], abs=1e-13)  # round-off
    assert count == {"frozen": 0, "constrained": 19 + 15, "free": 50}


def test_wrong_words_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # the type check of the tests would be first to see them
    monkeypatch.setattr(config, "jaxtyping_disable", True)
    with pytest.raises(UsageError, match="mode 'fixed'"):
        bank([(1,)], 16, "periodic", mode="fixed")
    with pytest.raises(UsageError, match="stencil 'upwnd'"):
        bank([(1,)], 16, "periodic", stencil="upwnd")


def test_both_sides_turns_first_derivatives_only() -> None:
    upwind = bank([(0, 0), (0, 1), (1, 0), (0, 2)], 32, "periodic", mode="frozen", stencil="upwind")
    axes, dx = wave(32, 2, "periodic")
    u = product_of_sines(axes, (0, 0)).expand(2, 3, 32, 32).clone()
    values, turned = upwind.both_sides(u)
    assert torch.equal(values, upwind(u))
    assert values.shape == (4, 3, 2, 32, 32)
    field = u[0, 0]
    for row, (index, axis) in enumerate(upwind.first_derivatives):
        forward = (-3 * field + 4 * field.roll(-1, axis) - field.roll(-2, axis)) / (2 * dx)
        backward = (3 * field - 4 * field.roll(1, axis) + field.roll(2, axis)) / (2 * dx)
        # values of order 1 over dx = .2: round-off
        assert (values[index, 0, 0] - forward).abs().max() < 1e-13
        assert (turned[row, 2, 1] - backward).abs().max() < 1e-13


def test_axes_may_differ_in_spacing_and_boundary() -> None:
    x, y = np.linspace(0, 1, 33), 2 * np.pi * np.arange(48) / 48
    mixed = FilterBank(
        [(0, 0), (1, 0), (0, 1), (1, 1)], dx=(x[1], y[1]), boundary=("none", "periodic"), mode="frozen", **EXACT
    )
    u = torch.as_tensor(np.exp(x)[:, None] * np.sin(y))[None, None]
    exact = [u, u, torch.as_tensor(np.exp(x)[:, None] * np.cos(y))[None, None]]
    exact.append(exact[2])
    for found, true in zip(mixed(u), exact, strict=True):
        assert (found - true).abs().max() < 1e-4  # fourth order: dx^4 / 30 = 1e-5 times e


def test_gradients_reach_free_moments_and_state() -> None:
    learned = bank([(0, 0), (1, 0), (0, 2)], 8, "none", accuracy=1)
    u = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0), requires_grad=True, **EXACT)
    free = learned.parametrizations["kernels"].original
    assert torch.autograd.gradcheck(lambda v: learned(v), (u,))
    rule = learned.parametrizations["kernels"][0]
    assert isinstance(rule, MomentKernels)
    assert torch.autograd.gradcheck(lambda m: rule(m), (free,))


def test_a_grid_too_short_for_the_kernel_is_refused() -> None:
    with pytest.raises(UsageError, match="too few"):
        bank([(1,)], 16, "none", mode="frozen")(torch.zeros(1, 1, 5, **EXACT))


def test_nothing_is_made_on_the_default_device() -> None:
    u = torch.randn(1, 1, *(8,) * 2, generator=torch.Generator().manual_seed(0), **EXACT)
    with torch.device("meta"):  # a tensor made without a device would land here and not mix with the others
        for boundary in ("periodic", "none"):
            values = bank([(0, 0), (1, 0)], 8, boundary, stencil="upwind").both_sides(u)
            assert all(value.device == CPU for value in values)


def test_float32_fields_are_served_in_float32() -> None:
    single = FilterBank([(1,)], dx=(0.1,), boundary=("periodic",), dtype=torch.float32, device=CPU)
    assert single(torch.zeros(1, 1, 9, dtype=torch.float32)).dtype == torch.float32
    assert prod(single.kernels.shape) == 5
