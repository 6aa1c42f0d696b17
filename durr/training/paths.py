"""What a stopping rule is learned from: the errors along the paths of a trained unit."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from durr.stopping import root_mean_square
from durr.training.patches import NoisyPatches
from durr.unfold import unfold
from durr.unit import RestorationUnit


@dataclass(frozen=True, eq=False)
class Paths:
    """sigma: the noise of each sample. update: rms(X(1) - X(0)). losses: 10 log10 MSE(X(n)) after n = 0, 1, ... steps.

    In decibels every level counts alike, and a step that halves the error is worth the same everywhere.
    """

    sigma: Float[Tensor, " sample"]
    update: Float[Tensor, " sample"]
    losses: Float[Tensor, "sample steps"]

    def loss_at(self, steps: Float[Tensor, " sample"]) -> Float[Tensor, " sample"]:
        """The loss of each sample after a real number of steps, straight lines between whole ones."""
        steps = steps.clamp(0, self.losses.shape[1] - 1)
        below = steps.floor().long().clamp_max(self.losses.shape[1] - 2)
        left, right = (self.losses.gather(1, (below + k)[:, None])[:, 0] for k in (0, 1))
        return left + (steps - below) * (right - left)


def record_paths(
    unit: RestorationUnit, patches: NoisyPatches, *, n_batches: int, max_steps: int, precision: torch.dtype
) -> Paths:
    """Unfold batches max_steps times each."""
    device = next(unit.parameters()).device
    sigmas, updates, losses = [], [], []
    for number in range(1, n_batches + 1):
        batch = patches.batch_of(number).to(device)
        with torch.inference_mode(), torch.autocast(device.type, precision, enabled=precision != torch.float32):
            images = unfold(unit, batch.noisy, until=None, max_steps=max_steps).images
        errors = (images - batch.clean).float().square().mean(dim=(2, 3, 4)).clamp_min(1e-10)  # -100 dB
        sigmas.append(batch.sigma.cpu())
        updates.append(root_mean_square(images[1] - images[0]).cpu())
        losses.append(10 * errors.log10().T.cpu())
    return Paths(torch.cat(sigmas), torch.cat(updates), torch.cat(losses))
