"""The rule of the first update, fitted to the paths of a trained unit."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from durr.policy.paths import Paths
from durr.stopping import FirstUpdate


def fit_first_update(paths: Paths, most: int) -> FirstUpdate:
    """The two numbers with the least mean cost along the paths, from a regression on the cheapest step as a start."""
    cheapest = paths.cost.argmin(dim=1).double().numpy()
    update = paths.update.double().numpy()
    start = np.polynomial.polynomial.polyfit(update, cheapest, 1)

    def mean_cost(numbers: np.ndarray) -> float:
        rule = FirstUpdate(float(numbers[0]), float(numbers[1]), most)
        return float(interpolated_cost(paths, rule.steps(paths.update)).mean())

    # 0.01 steps and 1e-4 dB are far below what is seen; piecewise linear in the numbers, hence no gradients
    scale = np.array([1.0, 1.0 / max(update.max(), 1e-6)])
    simplex = start + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) * scale
    found = minimize(
        mean_cost, start, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 0.01, "fatol": 1e-4}
    )
    best = found.x if found.fun <= mean_cost(start) else start
    return FirstUpdate(float(best[0]), float(best[1]), most)


def interpolated_cost(paths: Paths, steps: Float[Tensor, " path"]) -> Float[Tensor, " path"]:
    """The cost of each path after a real number of steps, straight lines between whole ones."""
    steps = steps.clamp(0, paths.max_steps)
    below = steps.floor().long().clamp_max(paths.max_steps - 1)
    left, right = (paths.cost.gather(1, (below + k)[:, None])[:, 0] for k in (0, 1))
    return torch.lerp(left, right, steps - below)
