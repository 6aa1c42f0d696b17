"""B31 and B32: what defines diffusion with a stopping time and the unfolding with moving endpoints, in numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from skimage import data
from torch import Tensor

from backbone.checks.measured import Checkable, Measured
from backbone.endpoint import AfterSteps
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.schemes import Euler
from durr.baselines.diffusion import STEP, PeronaMalik, diffuse
from durr.metrics import psnr
from durr.restorer import Restorer
from durr.unfold import steps_grid, unfold
from durr.unit import RestorationUnit

SIGMAS = (15, 25, 50)
LONG = 120  # steps of diffusion, far beyond the best


def cameras() -> tuple[Float[np.ndarray, "row col"], Float[Tensor, "batch 1 row col"]]:
    """The camera image at half size, and with each noise; float64."""
    clean = data.camera()[::2, ::2] / 255
    generator = np.random.default_rng(0)
    noisy = [clean + sigma / 255 * generator.standard_normal(clean.shape) for sigma in SIGMAS]
    return clean, torch.from_numpy(np.stack(noisy))[:, None]


def check_perona_malik() -> list[Measured]:
    """The best step grows with the noise, running on costs much, and the discrepancy rule stops near the best."""
    clean, noisy = cameras()
    path = integrate(PeronaMalik(), noisy, Grid.uniform(0.0, LONG * STEP, LONG), Euler(), save="all").ys.numpy()
    figures = np.array([[psnr(state[0], clean, 1.0) for state in states] for states in path.swapaxes(0, 1)])
    stopped = (diffuse(noisy, torch.tensor(SIGMAS, dtype=noisy.dtype) / 255).stopped_at / STEP).round()
    found = []
    for k, (sigma, best, decibel, rule) in enumerate(
        zip(SIGMAS, (3, 8, 24), (29.45, 27.08, 24.20), (5, 10, 27), strict=True)
    ):
        found += [
            Measured(f"best step, sigma = {sigma}", int(figures[k].argmax()), best, best),
            Measured(f"PSNR there, sigma = {sigma}", float(figures[k].max()), decibel - 0.01, decibel + 0.01),
            Measured(f"step of the discrepancy rule, sigma = {sigma}", int(stopped[k]), rule, rule),
        ]
    cost = float(figures[0].max() - figures[0, -1])
    return [*found, Measured(f"dB lost by step {LONG}, sigma = 15", cost, 8.0, 10.0)]


def check_unfolding() -> list[Measured]:
    """Unfolding is Euler's scheme with step 1 and one set of weights; every image has an end of its own."""
    unit = RestorationUnit(1, features=16, inner=16, generator=torch.Generator().manual_seed(0))
    noisy = torch.rand(3, 1, 16, 12, generator=torch.Generator().manual_seed(1))
    counts = torch.tensor([2, 0, 4])
    with torch.no_grad():
        path = unfold(unit, noisy, until=None, max_steps=4).images
        ends = unfold(unit, noisy, until=AfterSteps(counts, steps_grid(4)), max_steps=4).last
        by_hand = _residual_network(unit, noisy, 4)
    moved = max(float((ends[i] - path[n, i]).abs().max()) for i, n in enumerate(counts.tolist()))
    few, more, most = _chosen((10, 30, 50))
    return [
        Measured.below("difference from a hand-written residual network", float((path[-1] - by_hand).abs().max()), 0.0),
        # fewer images in a batch are summed in another order: float32
        Measured.below("image at its own end minus the path there", moved, 1e-5),
        Measured.above("steps that the policy takes, sigma = 30 beyond 10", more - few, 0.5),
        Measured.above("steps that the policy takes, sigma = 50 beyond 30", most - more, 0.5),
    ]


def _residual_network(
    unit: RestorationUnit, noisy: Float[Tensor, "batch 1 row col"], blocks: int
) -> Float[Tensor, "batch 1 row col"]:
    state = unit.start(noisy)
    for _ in range(blocks):
        state = state + unit.field(0.0, state)
    return unit.image(state)


def _chosen(sigmas: Sequence[int]) -> list[float]:
    """Where the denoiser that ships stops on a picture with each noise."""
    restorer = Restorer.pretrained("denoise", device="cpu", precision="float32")
    clean = data.camera()[128:256, 128:256]
    noise = np.random.default_rng(0).standard_normal(clean.shape)
    return [restorer((clean / 255 + sigma / 255 * noise).astype(np.float32)).chosen for sigma in sigmas]


CHECKABLES = {
    "perona-malik": Checkable("durr/baselines/diffusion.py", check_perona_malik),
    "durr": Checkable("durr/unfold.py", check_unfolding),
}
