"""Which terms the likelihood can do without, and which it misses: significance decides, no size of a coefficient.

A term stays if leaving it out raises the misfit by more than chance would, and by more than what the whole model leaves
unexplained beyond noise, since terms may also mend errors of the data. A term joins by the same measure.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int64
from scipy import stats
from torch import Tensor

from pdenet.discovery.likelihood import Maximum, Problem, maximise
from pdenet.discovery.resolution import NOISE_UNSURE
from pdenet.discovery.select import SIGNIFICANCE
from pdenet.discovery.shooting import Shooting
from pdenet.discovery.tangent import Row, System

OFFERED = 3  # missing terms that are tried together
BLOCK = 16  # candidates whose tangents are held at once
ROUNDS = 4


def limit(n_candidates: int) -> float:
    """|t| that one of `n_candidates` terms exceeds by chance with the probability SIGNIFICANCE."""
    return float(stats.norm.ppf(1.0 - SIGNIFICANCE / (2.0 * max(n_candidates, 1))))


def unexplained(maximum: Maximum) -> float:
    """Share of the misfit that is more than noise, in units of the misfit per degree of freedom."""
    return max(1.0 - (1.0 + NOISE_UNSURE) / maximum.scale, 0.0) * maximum.n_freedoms


def eliminate(problem: Problem, maximum: Maximum, n_candidates: int) -> Maximum:
    """The maximum without terms that do not count, refitted; Diverged if it cannot be run."""
    while True:
        least = max(limit(n_candidates) ** 2, unexplained(maximum))
        dropped = {maximum.free[place] for place in _weak(maximum, least)}
        if not dropped:
            return maximum
        kept = [row for row in range(len(maximum.rows)) if row not in dropped]
        free = [kept.index(row) for row in maximum.free if row not in dropped]
        coefficients = maximum.coefficients[kept]
        rows = [maximum.rows[row] for row in kept]
        maximum = maximise(problem, rows, coefficients, free, maximum.shooting.start)


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
    """The maximum with missing terms, as long as what they explain is more than what then remains unexplained."""
    for _ in range(ROUNDS):
        before = unexplained(maximum)
        missing = [row for row in candidates if row not in maximum.rows]
        if before == 0.0 or not missing:
            break
        offered = [missing[k] for k in _most_wanted(problem, maximum, missing)]
        rows = (*maximum.rows, *offered)
        free = (*maximum.free, *range(len(maximum.rows), len(rows)))
        coefficients = torch.cat([maximum.coefficients, maximum.coefficients.new_zeros(len(offered))])
        larger = maximise(problem, rows, coefficients, free, maximum.shooting.start)
        larger = eliminate(problem, larger, len(candidates))
        if 2.0 * unexplained(larger) * larger.scale > before * maximum.scale:
            break
        maximum = larger
    return maximum


def _most_wanted(problem: Problem, maximum: Maximum, missing: Sequence[Row]) -> Int64[Tensor, " place"]:
    """Places of the missing terms whose tangents lie closest to the residual."""
    coefficients = torch.cat([maximum.coefficients, maximum.coefficients.new_zeros(len(missing))])
    system = System(problem.spectrum, (*maximum.rows, *missing), coefficients)
    shooting = Shooting(system, problem.windows, coefficients, maximum.shooting.start, problem.n_substeps)
    first = len(maximum.rows)
    blocks = [shooting.alignment(range(k, min(k + BLOCK, len(coefficients)))) for k in range(first, len(coefficients), BLOCK)]
    return torch.topk(torch.cat(blocks), min(OFFERED, len(missing))).indices


