"""The rule of the first update, fitted to the paths of a trained unit."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import minimize
from torch import Tensor

from durr.policy.paths import Paths
from durr.policy.rules import oracle_steps
from durr.stopping import FirstUpdate


def fit_first_update(paths: Paths, most: int) -> FirstUpdate:
    """The two numbers with the least mean loss along the paths, from a regression on the oracle step as a start."""
    oracle = oracle_steps(paths).double().numpy()
    update = paths.update.double().numpy()
    start = np.polynomial.polynomial.polyfit(update, oracle, 1)

    def mean_loss(numbers: np.ndarray) -> float:
        rule = FirstUpdate(float(numbers[0]), float(numbers[1]), most)
        return float(interpolated_loss(paths, rule.steps(paths.update)).mean())

    # 0.01 steps and 1e-4 dB are far below what is seen; piecewise linear in the numbers, hence no gradients
    scale = np.array([1.0, 1.0 / max(update.max(), 1e-6)])
    simplex = start + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) * scale
    found = minimize(
        mean_loss, start, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 0.01, "fatol": 1e-4}
    )
    best = found.x if found.fun <= mean_loss(start) else start
    return FirstUpdate(float(best[0]), float(best[1]), most)


def interpolated_loss(paths: Paths, steps: Float[Tensor, " path"]) -> Float[Tensor, " path"]:
    """The loss of each path after a real number of steps, straight lines between whole ones."""
    steps = steps.clamp(0, paths.max_steps)
    below = steps.floor().long().clamp_max(paths.max_steps - 1)
    left, right = (paths.loss.gather(1, (below + k)[:, None])[:, 0] for k in (0, 1))
    return torch.lerp(left, right, steps - below)
