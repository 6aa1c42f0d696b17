"""Which terms an equation has, decided without a threshold on coefficients.

1. A path of models, one per number of terms: forward selection and backward elimination, whichever fits better.
2. Rows are weighted by the inverse variance of the residual in their group (feasible generalised least squares), so
   that shocks, aliased wave numbers and noisy runs speak softly and clean ones loudly.
3. The reference is the largest model in which every term is significant (1 % over all candidates together), with
   standard errors that count blocks of data, not rows, as independent.
4. A smaller model is chosen if what the further terms explain is less than what the reference leaves unexplained
   beyond measurement noise, or less than rounding and the errors of stencils: such terms mend errors, they are not
   found by them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import stats

from pdenet.discovery.normal_equations import NormalEquations
from pdenet.discovery.supports import forward_order, path, solve_support
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term

SIGNIFICANCE = 0.01  # chance of one false term among all candidates, if errors were only chance
ENOUGH_BLOCKS = 6  # with fewer, no |t| could pass the limit of Student's distribution
MOST_ALONE = 3
N_SWEEPS = 2  # more could settle on a model that explains the many faint groups and gives up the few strong ones
PRIOR_ROWS = 40.0  # rows' worth of trust in the smooth variance model, for groups with few rows
FLOOR = 1e-14  # share of the mean power, 1e-7 in amplitude, that solvers of data and float64 transforms leave over

STENCILS_UNSURE = 4.0  # times the power of their errors: two orders more accuracy show at least half of the amplitude

Power = Callable[[Equation], Float64[np.ndarray, "block shell"]]
Gram = Float64[np.ndarray, "block shell column column"]


@dataclass(frozen=True)
class Model:
    """One candidate: positions of its terms, coefficients, weighted mean square residual and |t| of each term."""

    places: tuple[int, ...]
    coefficients: Float64[np.ndarray, " term"]
    misfit: float
    significance: Float64[np.ndarray, " term"]


@dataclass(frozen=True)
class Front:
    """The path of models of one equation by number of terms, with the reference and the chosen one."""

    name: str
    terms: tuple[Term, ...]
    models: tuple[Model, ...]
    reference: int
    chosen: int
    over_noise: float  # mean square residual of the chosen model in units of what noise alone would leave
    unexplained: float  # share of the power of the time derivative that the chosen model leaves and noise does not
    limit: float  # |t| that every term of the reference exceeds
    alone: tuple[tuple[Term, float], ...]  # the strongest terms and their |t|, each as the only one; largest first

    def support(self, size: int) -> tuple[Term, ...]:
        """Terms of the model with `size` terms."""
        return tuple(self.terms[place] for place in self.models[size].places)


def weighted_gram(gram: Gram, weights: Float64[np.ndarray, "block shell"]) -> Float64[np.ndarray, "column column"]:
    """Sum of the groups' normal matrices by weight."""
    return np.einsum("bs,bsij->ij", weights, gram, optimize=True)


def residual_power(
    gram: Gram, target: int, places: tuple[int, ...], coefficients: Float64[np.ndarray, " term"]
) -> Float64[np.ndarray, "block shell"]:
    """Sum of squared residuals of each group."""
    columns = [*places, target]
    signed = np.append(-coefficients, 1.0)
    power = np.einsum("i,bsij,j->bs", signed, gram[:, :, columns][..., columns], signed, optimize=True)
    return np.maximum(power, 0.0)


def group_variance(
    power: Float64[np.ndarray, "block shell"], rows: Float64[np.ndarray, "block shell"], floor: float
) -> Float64[np.ndarray, "block shell"]:
    """Residual variance of each group, drawn towards a product of block and shell factors where rows are few."""
    smooth = np.full(power.shape, power.sum() / rows.sum())
    for _ in range(20):
        smooth *= (power.sum(axis=1) / np.maximum((smooth * rows).sum(axis=1), 1e-300))[:, None]
        smooth *= (power.sum(axis=0) / np.maximum((smooth * rows).sum(axis=0), 1e-300))[None, :]
    variance = (power + PRIOR_ROWS * smooth) / (rows + PRIOR_ROWS)
    return np.maximum(variance, floor)


def independent_sums(by_group: Float64[np.ndarray, "block shell *rest"]) -> Float64[np.ndarray, " independent *rest"]:
    """Sums over the shells of each block; where blocks are too few to tell of chance, every group counts for itself."""
    return by_group.sum(axis=1) if len(by_group) >= ENOUGH_BLOCKS else by_group.reshape(-1, *by_group.shape[2:])


def significance(
    gram: Gram,
    weights: Float64[np.ndarray, "block shell"],
    target: int,
    places: tuple[int, ...],
    coefficients: Float64[np.ndarray, " term"],
    inverse: Float64[np.ndarray, "term term"],
) -> Float64[np.ndarray, " term"]:
    """|t| of each coefficient: the smaller of the one that trusts the row variances and the one that counts blocks."""
    chosen = list(places)
    score = weights[..., None] * (gram[:, :, chosen, target] - gram[:, :, chosen][..., chosen] @ coefficients)
    score = independent_sums(score)
    by_block = inverse @ (score.T @ score) @ inverse * (len(score) / max(len(score) - 1, 1))
    variance = np.maximum(np.diag(by_block), np.diag(inverse))
    return np.abs(coefficients) / np.sqrt(np.maximum(variance, 1e-300))


def select(
    equations: NormalEquations,
    name: str,
    noise_power: Power,
    stencil_power: Power,
    max_terms: int | None = None,
) -> Front:
    """Path, reference and choice for the equation of one variable.

    noise_power, stencil_power: mean square that noise and the errors of stencils give the residual of an equation in
    each group. max_terms: the most that may be chosen.
    """
    target = equations.target(name)
    gram, rows = equations.gram, equations.rows.astype(np.float64)
    n_independent = len(independent_sums(rows))
    limit = float(stats.t.ppf(1.0 - SIGNIFICANCE / (2.0 * max(equations.n_terms, 1)), max(n_independent - 1, 1)))
    weights = first_weights(equations, name)
    for _ in range(N_SWEEPS):
        matrix = weighted_gram(gram, weights)
        supports = path(matrix, target, equations.n_terms)
        models = [_model(gram, weights, matrix, target, places, float(rows.sum())) for places in supports]
        reference = max(k for k, model in enumerate(models) if model.significance.min(initial=np.inf) > limit)
        best = models[reference]
        used, weights = weights, group_weights(equations, target, best.places, best.coefficients)
    named = Equation.of(name, [equations.terms[k] for k in best.places], best.coefficients.tolist())
    noise = noise_power(named)
    left = residual_power(gram, target, best.places, best.coefficients)
    # a group with clearly less residual than noise shows that its noise is overestimated: it counts for no more
    chance = 1.0 + 4.0 * np.sqrt(2.0 / np.maximum(rows, 1.0))
    explained_by_noise = float((used * np.minimum(rows * noise, left * chance)).sum() / rows.sum())
    floor = np.maximum(rounding_power(equations, target), STENCILS_UNSURE * stencil_power(named))
    unexplained = max(best.misfit - explained_by_noise, float((used * rows * floor).sum() / rows.sum()))
    chosen = reference
    while chosen > 0 and models[chosen - 1].misfit - models[reference].misfit <= unexplained:
        chosen -= 1
    chosen = chosen if max_terms is None else min(chosen, max_terms)
    picked = models[chosen]
    left = residual_power(gram, target, picked.places, picked.coefficients)
    over_noise = float((left / np.maximum(noise, floor)).sum() / rows.sum())
    power, by_noise = gram[..., target, target].sum(), (rows * noise).sum()
    unexplained = float(np.clip((left.sum() - by_noise) / max(power - by_noise, FLOOR * power), 0.0, 1.0))
    alone = _strongest_alone(equations, target, used)
    return Front(name, equations.terms, tuple(models), reference, chosen, over_noise, unexplained, limit, alone)


def _strongest_alone(
    equations: NormalEquations, target: int, weights: Float64[np.ndarray, "block shell"]
) -> tuple[tuple[Term, float], ...]:
    """The terms that are most significant as the only one of an equation."""
    matrix = weighted_gram(equations.gram, weights)
    power = np.diag(matrix)[: equations.n_terms]
    gain = np.where(power > 0.0, matrix[:-1, target][: equations.n_terms] ** 2 / np.maximum(power, 1e-300), 0.0)
    places = [int(place) for place in np.argsort(-gain)[:MOST_ALONE] if gain[place] > 0.0]
    models = [_model(equations.gram, weights, matrix, target, (place,), 1.0) for place in places]
    sizes = [
        (equations.terms[place], float(model.significance[0])) for place, model in zip(places, models, strict=True)
    ]
    return tuple(sorted(sizes, key=lambda entry: -entry[1]))


def fit_support(
    equations: NormalEquations, name: str
) -> tuple[Float64[np.ndarray, " term"], Float64[np.ndarray, "term term"]]:
    """Coefficients of all the terms and their covariance, by the weights that selection uses.

    Standard errors are those that decide significance, correlations those of the weighted least squares.
    """
    target, places = equations.target(name), tuple(range(equations.n_terms))
    weights = first_weights(equations, name)
    for _ in range(N_SWEEPS):
        coefficients, inverse = solve_support(weighted_gram(equations.gram, weights), target, places)
        size = significance(equations.gram, weights, target, places, coefficients, inverse)
        weights = group_weights(equations, target, places, coefficients)
    larger = np.abs(coefficients) / np.maximum(size, 1e-300) / np.sqrt(np.diag(inverse))
    return coefficients, inverse * np.outer(larger, larger)


def first_weights(equations: NormalEquations, name: str) -> Float64[np.ndarray, "block shell"]:
    """Inverse residual variance of the whole library: it holds the true terms, which a small wrong model disguises."""
    target = equations.target(name)
    matrix = equations.gram.sum(axis=(0, 1))
    places = tuple(sorted(forward_order(matrix, target, equations.n_terms, equations.n_terms)))
    coefficients, _ = solve_support(matrix, target, places)
    n_rows = float(equations.rows.sum())
    # a library that is fitted to few rows leaves less than the errors that it was fitted to
    return group_weights(equations, target, places, coefficients) * max(1.0 - len(places) / n_rows, 1.0 / n_rows)


def group_weights(
    equations: NormalEquations, target: int, places: tuple[int, ...], coefficients: Float64[np.ndarray, " term"]
) -> Float64[np.ndarray, "block shell"]:
    """Inverse residual variance of each group under a model."""
    power = residual_power(equations.gram, target, places, coefficients)
    return 1.0 / group_variance(power, equations.rows.astype(np.float64), rounding_power(equations, target))


def rounding_power(equations: NormalEquations, target: int) -> float:
    """Mean square residual below which only rounding and the solver of the data are left to explain."""
    power = float(equations.gram[..., target, target].sum() / equations.rows.sum())
    return max(FLOOR * power, np.finfo(np.float64).tiny)


def _model(
    gram: Gram,
    weights: Float64[np.ndarray, "block shell"],
    matrix: Float64[np.ndarray, "column column"],
    target: int,
    places: tuple[int, ...],
    n_rows: float,
) -> Model:
    if not places:
        return Model((), np.zeros(0), float(matrix[target, target]) / n_rows, np.zeros(0))
    coefficients, inverse = solve_support(matrix, target, places)
    misfit = float((weights * residual_power(gram, target, places, coefficients)).sum()) / n_rows
    return Model(places, coefficients, misfit, significance(gram, weights, target, places, coefficients, inverse))
