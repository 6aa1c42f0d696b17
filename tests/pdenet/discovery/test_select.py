"""Selection on made-up regressions whose truth is known, and its parts against plain least squares."""

from __future__ import annotations

import numpy as np
import pytest
from jaxtyping import Float64

from pdenet.discovery.normal_equations import NormalEquations
from pdenet.discovery.select import fit_support, group_variance, select
from pdenet.discovery.supports import backward_path, forward_order, path, solve_support
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Factor, Term

N_TERMS, N_BLOCKS, N_SHELLS, N_ROWS = 12, 10, 4, 60
TRUTH = {2: 1.5, 5: -0.7, 9: 0.05}


def made_up(noise: Float64[np.ndarray, "block shell"], bias: float = 0.0) -> NormalEquations:
    """Random columns, a target with three true terms, noise by group; `bias` times column 0 in half the shells."""
    generator = np.random.default_rng(0)
    columns = generator.standard_normal((N_BLOCKS, N_SHELLS, N_ROWS, N_TERMS))
    columns[..., 1] += 0.9 * columns[..., 2]  # a decoy that moves with a true term
    target = sum(c * columns[..., k] for k, c in TRUTH.items())
    target = target + noise[..., None] * generator.standard_normal(target.shape)
    target[:, ::2] += bias * columns[:, ::2, :, 0]
    rows = np.concatenate([columns, target[..., None]], axis=-1)
    terms = tuple(Term.product([Factor(f"w{k}")]) for k in range(N_TERMS))
    gram = np.einsum("bsni,bsnj->bsij", rows, rows)
    return NormalEquations(terms, ("u",), gram, np.full((N_BLOCKS, N_SHELLS), N_ROWS))


def chosen(equations: NormalEquations, noise: Float64[np.ndarray, "block shell"]) -> tuple[int, ...]:
    def noise_power(equation: Equation) -> Float64[np.ndarray, "block shell"]:
        return noise**2

    def no_stencils(equation: Equation) -> Float64[np.ndarray, "block shell"]:
        return np.zeros_like(noise)

    front = select(equations, "u", noise_power, no_stencils)
    return front.models[front.chosen].places


@pytest.mark.parametrize("level", [1e-6, 1e-2, 0.5])
def test_true_terms_and_no_other(level: float) -> None:
    noise = np.full((N_BLOCKS, N_SHELLS), level)
    assert chosen(made_up(noise), noise) == tuple(TRUTH)


@pytest.mark.parametrize("degree", [6, 8])
def test_terms_are_found_among_many_that_nearly_depend_on_each_other(degree: int) -> None:
    generator = np.random.default_rng(0)
    u = generator.uniform(0.3, 1.0, 4000)
    v = 0.6 * (1.0 - u) + 0.1 * generator.uniform(-1.0, 1.0, 4000)
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    target = 0.04 - 0.04 * u - u * v**2 + 1e-9 * generator.standard_normal(4000)  # Gray-Scott's
    rows = np.column_stack([*(u**i * v**j for i, j in powers), target])
    truth = tuple(powers.index(one) for one in [(0, 0), (1, 0), (1, 2)])
    assert truth in path(rows.T @ rows, len(powers), len(powers))


def test_groups_of_very_different_noise_are_weighted() -> None:
    noise = np.geomspace(1e-4, 10.0, N_BLOCKS * N_SHELLS).reshape(N_BLOCKS, N_SHELLS)
    equations = made_up(noise)
    assert chosen(equations, noise) == tuple(TRUTH)
    coefficients, covariance = fit_support(equations.restrict([equations.terms[k] for k in TRUTH]), "u")
    # the clean groups alone (noise 1e-4, 60 rows each) know the coefficients to about 1e-5
    np.testing.assert_allclose(coefficients, list(TRUTH.values()), atol=1e-4)
    assert np.sqrt(np.diag(covariance)).max() < 1e-4
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-12)  # inverted by LU
    assert np.linalg.eigvalsh(covariance).min() > 0.0


def test_a_term_that_explains_less_than_what_stays_unexplained_is_not_chosen() -> None:
    measured = np.full((N_BLOCKS, N_SHELLS), 1e-4)
    # a misfit of .01 that noise of 1e-4 does not explain: the small systematic term beside it is no discovery
    equations = made_up(np.full((N_BLOCKS, N_SHELLS), 1e-2), bias=4e-3)
    assert chosen(equations, measured) == tuple(TRUTH)


def test_nothing_to_find_gives_no_terms() -> None:
    generator = np.random.default_rng(1)
    rows = generator.standard_normal((N_BLOCKS, N_SHELLS, N_ROWS, N_TERMS + 1))
    terms = tuple(Term.product([Factor(f"w{k}")]) for k in range(N_TERMS))
    gram = np.einsum("bsni,bsnj->bsij", rows, rows)
    equations = NormalEquations(terms, ("u",), gram, np.full((N_BLOCKS, N_SHELLS), N_ROWS))
    assert chosen(equations, np.ones((N_BLOCKS, N_SHELLS))) == ()


def test_support_solution_is_least_squares() -> None:
    generator = np.random.default_rng(2)
    matrix = generator.standard_normal((40, 6))
    gram = matrix.T @ matrix
    found, inverse = solve_support(gram, 5, (0, 2, 4))
    expected = np.linalg.lstsq(matrix[:, [0, 2, 4]], matrix[:, 5], rcond=None)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-10)  # condition below 100
    np.testing.assert_allclose(inverse @ gram[np.ix_([0, 2, 4], [0, 2, 4])], np.eye(3), atol=1e-12)


def test_forward_takes_the_steepest_column_and_skips_dependent_ones() -> None:
    generator = np.random.default_rng(3)
    matrix = generator.standard_normal((50, 5))
    matrix[:, 3] = matrix[:, 1]  # a copy
    target = 3.0 * matrix[:, 1] + matrix[:, 0]
    rows = np.column_stack([matrix, target])
    order = forward_order(rows.T @ rows, 5, 5, 5)
    assert order[0] in (1, 3)
    assert order[1] == 0
    assert not {1, 3} <= set(order)


def test_backward_drops_the_cheapest_first() -> None:
    generator = np.random.default_rng(4)
    matrix = generator.standard_normal((200, 4))
    target = matrix @ np.array([3.0, 0.1, 1.0, 0.01])
    rows = np.column_stack([matrix, target])
    supports = backward_path(rows.T @ rows, 4, [0, 1, 2, 3])
    assert supports == [(0, 1, 2, 3), (0, 1, 2), (0, 2), (0,)]


def test_group_variance_is_exact_for_products_and_positive_for_empty_groups() -> None:
    rows = np.full((5, 3), 50.0)
    product = np.outer(np.arange(1.0, 6.0), [1.0, 10.0, 100.0])
    np.testing.assert_allclose(group_variance(product * rows, rows, 1e-30), product, rtol=1e-10)
    rows[0, 0] = 0.0
    assert np.all(group_variance(product * rows, rows, 1e-30) > 0)
