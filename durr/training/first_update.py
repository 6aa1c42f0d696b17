"""The rule of the first update, fitted to the paths of a trained unit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import minimize

from durr.stopping import FirstUpdate
from durr.training.paths import Paths


def fit_first_update(paths: Paths, most: int) -> FirstUpdate:
    """The two numbers with the least mean loss along the paths, from a regression on the oracle step as a start."""
    oracle = paths.losses.argmin(dim=1).double().numpy()
    update = paths.update.double().numpy()
    start = np.polynomial.polynomial.polyfit(update, oracle, 1)

    def mean_loss(numbers: np.ndarray) -> float:
        rule = FirstUpdate(float(numbers[0]), float(numbers[1]), most)
        return float(paths.loss_at(rule.steps(paths.update)).mean())

    # 0.01 steps and 1e-4 dB are far below what is seen; piecewise linear in the numbers, hence no gradients
    scale = np.array([1.0, 1.0 / max(update.max(), 1e-6)])
    simplex = start + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]) * scale
    found = minimize(
        mean_loss, start, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 0.01, "fatol": 1e-4}
    )
    best = found.x if found.fun <= mean_loss(start) else start
    return FirstUpdate(float(best[0]), float(best[1]), most)


def steps_by_level(rule: FirstUpdate, paths: Paths, edges: torch.Tensor) -> list[tuple[float, float]]:
    """(sigma, steps) in the middle of every interval of levels: what --sigma asks for."""
    steps = rule.steps(paths.update)
    middles = []
    for low, high in pairwise(edges):
        inside = (paths.sigma >= low) & (paths.sigma < high)
        if inside.any():
            middles.append((float(paths.sigma[inside].mean()), float(steps[inside].mean())))
    return middles
