"""Which terms the likelihood can do without, and which it misses: significance decides, no size of a coefficient.

A term stays if leaving it out raises the misfit by more than chance would, and by more than what the whole model leaves
unexplained beyond noise, since terms may also mend errors of the data. A term joins by the same measure.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
import torch
from jaxtyping import Float64
from scipy import stats
from torch import Tensor

from backbone.errors import Diverged
from pdenet.discovery.likelihood import Maximum, Problem, gone_on, maximise
from pdenet.discovery.resolution import NOISE_UNSURE
from pdenet.discovery.select import SIGNIFICANCE
from pdenet.discovery.shooting import Shooting
from pdenet.discovery.supports import path, solve_support
from pdenet.discovery.tangent import Row, System

MOST_NUMBERS = 20_000_000  # in the tangents of all candidates together
ROUNDS = 8


def limit(n_candidates: int) -> float:
    """|t| that one of `n_candidates` terms exceeds by chance with the probability SIGNIFICANCE."""
    return float(stats.norm.ppf(1.0 - SIGNIFICANCE / (2.0 * max(n_candidates, 1))))


def unexplained(maximum: Maximum) -> float:
    """Share of the misfit that is more than noise, in units of the misfit per degree of freedom."""
    return max(1.0 - (1.0 + NOISE_UNSURE) / maximum.scale, 0.0) * maximum.n_freedoms


def eliminate(problem: Problem, maximum: Maximum, n_candidates: int, *, share: float = 1.0) -> Maximum:
    """The maximum without terms that do not count, refitted; Diverged if it cannot be run.

    share: of the data that the problem holds; what does not count there would not count in all of them.
    """
    while True:
        least = max(share * limit(n_candidates) ** 2, unexplained(maximum))
        dropped = {maximum.free[place] for place in _weak(maximum, least)}
        if len(dropped) == len(maximum.free):  # all at once: wrong terms, as the misfit will say
            return maximum
        if dropped:
            fewer: Maximum | None = gone_on(problem, maximum, _all_but(dropped, maximum))
        else:
            fewer = _without_weakest(problem, maximum, least)
        if fewer is None:
            return maximum
        maximum = fewer


def _without_weakest(problem: Problem, maximum: Maximum, least: float) -> Maximum | None:
    """The maximum without its least significant term, where that does as well; only asked where it was not reached.

    Gauss-Newton is slow where the quadratic model does not hold, and so are terms that together do the work of others:
    with one of them less it finds the way.
    """
    if maximum.converged or len(maximum.free) == 1:
        return None
    weakest = maximum.free[int(torch.argmin(maximum.significance))]
    try:
        fewer = gone_on(problem, maximum, _all_but({weakest}, maximum))
    except (Diverged, torch.linalg.LinAlgError):
        return None
    return fewer if fewer.shooting.misfit < maximum.shooting.misfit + least else None


def _all_but(dropped: Set[int], maximum: Maximum) -> list[int]:
    return [row for row in range(len(maximum.rows)) if row not in dropped]


def _weak(maximum: Maximum, least: float) -> list[int]:
    """Places among the free coefficients that go, one after the other, each adding less than `least` to the misfit."""
    covariance = maximum.covariance.clone()
    values = maximum.coefficients[list(maximum.free)].clone()
    left, gone = list(range(len(values))), []
    while left:
        raised = values**2 / covariance.diagonal()
        worst = int(torch.argmin(raised))
        if float(raised[worst]) > least:
            break
        gone.append(left.pop(worst))
        kept = [k for k in range(len(values)) if k != worst]
        column = covariance[kept, worst] / covariance[worst, worst]
        values = values[kept] - column * values[worst]
        covariance = covariance[kept][:, kept] - torch.outer(column, covariance[worst, kept])
    return gone


def complete(problem: Problem, maximum: Maximum, candidates: Sequence[Row]) -> Maximum:
    """The maximum after terms were exchanged, as long as that lowers the misfit; what it cannot do without is left.

    Each round selects among all candidates by the quadratic model of the misfit about the present equations, as
    regression does, and refits. Fixed terms stay.
    """
    for _ in range(ROUNDS):
        if unexplained(maximum) == 0.0:
            break
        rows, free, coefficients = _selected(problem, maximum, candidates)
        if set(rows) == set(maximum.rows):
            break
        changed = maximise(problem, rows, coefficients, free, maximum.shooting.start)
        if changed.scale >= maximum.scale:
            break
        maximum = changed
    return maximum


def _selected(
    problem: Problem, maximum: Maximum, candidates: Sequence[Row]
) -> tuple[list[Row], list[int], Float64[Tensor, " row"]]:
    """Rows, which of them are free, and coefficients: the largest model on the path whose every term counts."""
    missing = [row for row in candidates if row not in maximum.rows]
    rows = [*maximum.rows, *missing]
    before = torch.cat([maximum.coefficients, maximum.coefficients.new_zeros(len(missing))])
    fixed = [k for k in range(len(maximum.rows)) if k not in maximum.free]
    open_rows = [k for k in range(len(rows)) if k not in fixed]
    matrix = normal_matrix(problem, rows, before, open_rows, maximum.shooting.start)
    target, scale = len(open_rows), maximum.n_freedoms
    least = limit(len(candidates)) ** 2
    best: tuple[int, ...] = ()
    for places in path(matrix, target, target):
        values, inverse = solve_support(matrix, target, places) if places else (np.zeros(0), np.zeros((0, 0)))
        left = matrix[target, target] - values @ matrix[list(places), target]
        if places and (values**2 > least * np.diag(inverse) * left / scale).all():
            best = places
    values, _ = solve_support(matrix, target, best) if best else (np.zeros(0), None)
    chosen = [*fixed, *(open_rows[place] for place in best)]
    coefficients = torch.cat([before[fixed], torch.as_tensor(values, dtype=before.dtype, device=before.device)])
    return [rows[k] for k in chosen], list(range(len(fixed), len(chosen))), coefficients


def normal_matrix(
    problem: Problem,
    rows: Sequence[Row],
    coefficients: Float64[Tensor, " row"],
    free: Sequence[int],
    start: Float64[Tensor, "window state *coarse"],
    most: int = MOST_NUMBERS,
) -> Float64[np.ndarray, "column column"]:
    """Of the free coefficients and, as last column, what they are to explain: residual and present terms together.

    Of the quadratic model of the misfit about these coefficients and whitened starting states. From as many windows as
    `most` numbers hold, in units of all of them.
    """
    size = len(free) * problem.windows.values[:, 0].numel()
    every = -(-len(problem.windows) * size // most)
    some = slice(None, None, every)
    system = System(problem.spectrum, rows, coefficients)
    windows = problem.windows.some(some)
    shooting = Shooting(system, windows, coefficients, start[some], problem.n_substeps)
    quadratic = shooting.linearised(free, None)
    present = coefficients[list(free)]
    explained = quadratic.information @ present
    right = quadratic.score + explained
    power = shooting.misfit + float(present @ (quadratic.score + right))
    whole = torch.cat([quadratic.information, right[None]])
    last = torch.cat([right, right.new_tensor([power])])
    return (torch.cat([whole, last[:, None]], dim=1) * (len(problem.windows) / len(windows))).cpu().numpy()
