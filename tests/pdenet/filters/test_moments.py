from __future__ import annotations

from itertools import product
from math import factorial, prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.errors import UsageError
from pdenet.filters.moments import (
    centred,
    fixed_moments,
    kernel_from_moments,
    moments_from_kernel,
    most_accurate,
    starting_kernel,
    unit_moments,
)

CPU = torch.device("cpu")
EXACT = {"dtype": torch.float64, "device": CPU}


def condition(offsets: tuple[int, ...]) -> float:
    return float(np.linalg.cond([[k**i / factorial(i) for k in offsets] for i in range(len(offsets))]))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([1, 3, 5, 7]), min_size=1, max_size=3),
    shift=st.integers(-4, 4),
    seed=st.integers(0, 10_000),
)
def test_moments_and_kernel_are_inverse_to_each_other(sizes: list[int], shift: int, seed: int) -> None:
    offsets = tuple(tuple(k + shift for k in centred(size)) for size in sizes)
    kernel = torch.randn(2, *sizes, generator=torch.Generator().manual_seed(seed), **EXACT)
    there_and_back = kernel_from_moments(moments_from_kernel(kernel, offsets), offsets)
    # round-off of two products with matrices whose condition number is known
    tolerance = 4 * np.finfo(float).eps * prod(condition(axis) for axis in offsets) * len(sizes)
    assert (there_and_back - kernel).abs().max() <= tolerance * kernel.abs().max()
    back_and_there = moments_from_kernel(kernel_from_moments(kernel, offsets), offsets)
    assert (back_and_there - kernel).abs().max() <= tolerance * kernel.abs().max()


def test_moments_are_the_sums_of_the_definition() -> None:
    kernel = torch.randn(5, 5, generator=torch.Generator().manual_seed(1), **EXACT)
    moments = moments_from_kernel(kernel, (centred(5), centred(5)))
    for i, j in product(range(5), repeat=2):
        total = sum(k**i * m**j * kernel[k + 2, m + 2].item() for k in range(-2, 3) for m in range(-2, 3))
        expected = total / (factorial(i) * factorial(j))
        assert moments[i, j].item() == pytest.approx(expected, abs=1e-13)  # 25 terms of size 1 to 10, round-off


@pytest.mark.parametrize(
    ("derivative", "offsets", "stencil"),
    [  # Fornberg, Math. Comp. 51 (1988), tables 1 and 3
        (1, (-2, -1, 0, 1, 2), [1 / 12, -2 / 3, 0, 2 / 3, -1 / 12]),
        (2, (-2, -1, 0, 1, 2), [-1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12]),
        (3, (-2, -1, 0, 1, 2), [-1 / 2, 1, 0, -1, 1 / 2]),
        (4, (-2, -1, 0, 1, 2), [1, -4, 6, -4, 1]),
        (1, (0, 1, 2, 3, 4), [-25 / 12, 4, -3, 4 / 3, -1 / 4]),
        (2, (0, 1, 2, 3, 4), [35 / 12, -26 / 3, 19 / 2, -14 / 3, 11 / 12]),
        (1, (-2, -1, 0), [1 / 2, -2, 3 / 2]),
    ],
)
def test_most_accurate_stencils_are_those_of_the_tables(
    derivative: int, offsets: tuple[int, ...], stencil: list[float]
) -> None:
    found = most_accurate((derivative,), (offsets,), **EXACT)
    assert found.tolist() == pytest.approx(stencil, abs=1e-15)  # entries rounded once


@pytest.mark.parametrize(("derivative", "fixed"), [((0, 0), 3), ((0, 1), 6), ((1, 0), 6), ((0, 2), 10), ((1, 1), 10)])
def test_the_numbers_of_fixed_moments_are_the_papers(derivative: tuple[int, int], fixed: int) -> None:
    mask = fixed_moments(derivative, 2, (5, 5), device=CPU)
    assert mask.sum() == fixed
    orders = torch.arange(5)
    assert torch.equal(mask, orders[:, None] + orders < sum(derivative) + 2)


def test_paper_starts() -> None:
    upwind = starting_kernel((0, 1), 5, "upwind", **EXACT)
    assert upwind[2].tolist() == pytest.approx([0, 0, -1.5, 2, -0.5])
    assert upwind[[0, 1, 3, 4]].abs().max() == 0
    assert starting_kernel((1, 0), 5, "central", **EXACT)[:, 2].tolist() == pytest.approx([0, -0.5, 0, 0.5, 0])
    assert starting_kernel((2, 0), 7, "upwind", **EXACT)[:, 3].tolist() == pytest.approx([0, 0, 1, -2, 1, 0, 0])
    assert starting_kernel((0, 0), 5, "upwind", **EXACT).flatten().tolist() == [0.0] * 12 + [1.0] + [0.0] * 12
    fourth = torch.tensor([1 / 12, -2 / 3, 0, 2 / 3, -1 / 12], **EXACT)
    mixed = starting_kernel((1, 1), 5, "upwind", **EXACT)
    assert (mixed - torch.outer(fourth, fourth)).abs().max() < 1e-15  # entries below 1, rounded once


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(UsageError, match="no centre"):
        centred(4)
    with pytest.raises(UsageError, match="cannot hold"):
        unit_moments((3,), (3,), **EXACT)
    with pytest.raises(UsageError, match="to accuracy 2") as failure:
        fixed_moments((2, 2), 2, (5, 5), device=CPU)
    assert "7 points" in failure.value.cure
    with pytest.raises(UsageError, match="fixes nothing"):
        fixed_moments((1,), 0, (5,), device=CPU)
    with pytest.raises(UsageError, match="does not fit"):
        starting_kernel((0, 1), 3, "upwind", **EXACT)
