"""Paths: what policies are learned from and judged by, unfolded once by a frozen unit.

Of every state the features and the loss are kept, not the images: a thousand paths are a few megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from backbone.errors import UsageError
from durr.degradation.degradation import Batch
from durr.policy.features import Looking
from durr.stopping import root_mean_square
from durr.unfold import unfold
from durr.unit import RestorationUnit

STEP_COST = 0.01  # dB: the running cost R of DURR's control problem; without it a flat path is followed for nothing
ERROR_FLOOR = 1e-5  # mean squared error of -50 dB: what is closer to the clean image than that counts as the same


@dataclass(frozen=True, eq=False)
class Paths:
    """seen: the features of the states after 0, 1, ..., max_steps steps. loss: of their images, in dB, lower is better.

    update: root mean square of X(1) - X(0), images in [0, 1]. level: how strongly the first image is degraded.
    """

    seen: Float[Tensor, "path time feature"]
    loss: Float[Tensor, "path time"]
    update: Float[Tensor, " path"]
    level: Float[Tensor, " path"]

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def max_steps(self) -> int:
        """Steps of the longest path, which is every path."""
        return self.loss.shape[1] - 1

    @property
    def cost(self) -> Float[Tensor, "path time"]:
        """L(X_n) + STEP_COST n, dB: what a stopping time is to make small, loss and time spent."""
        return self.loss + STEP_COST * torch.arange(self.max_steps + 1, device=self.loss.device)

    @property
    def gains(self) -> Float[Tensor, "path step"]:
        """What each step gains, its price taken off: dB."""
        return self.cost[:, :-1] - self.cost[:, 1:]

    def select(self, which: Int[Tensor, " chosen"] | Bool[Tensor, " path"]) -> Paths:
        """Some of the paths."""
        return Paths(self.seen[which], self.loss[which], self.update[which], self.level[which])

    def to(self, device: torch.device) -> Paths:
        """The paths on a device."""
        return Paths(self.seen.to(device), self.loss.to(device), self.update.to(device), self.level.to(device))


def image_loss(
    image: Float[Tensor, "batch channel row col"], clean: Float[Tensor, "batch channel row col"]
) -> Float[Tensor, " batch"]:
    """L = 10 log10(MSE + ERROR_FLOOR), image clipped to [0, 1]: minus its PSNR, in which all levels count alike."""
    error = (image.float().clamp(0, 1) - clean).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(error + ERROR_FLOOR)


@dataclass(eq=False)
class _Witness:
    """An endpoint that stops nothing and notes features and loss of every state, and the first update."""

    unit: RestorationUnit
    clean: Float[Tensor, "batch channel row col"]
    seen: list[Tensor] = field(default_factory=list)
    losses: list[Tensor] = field(default_factory=list)
    images: list[Tensor] = field(default_factory=list)  # X(0), X(1)

    def __post_init__(self) -> None:
        self._looking = Looking(self.unit)

    def __call__(self, t: float, y: Float[Tensor, "batch row col feature"]) -> Bool[Tensor, " batch"]:
        rows, columns = self.clean.shape[-2:]
        self.seen.append(self._looking(y))
        image = self.unit.image(y)
        self.losses.append(image_loss(image[..., :rows, :columns], self.clean))
        if len(self.images) < 2:
            self.images.append(image)
        return torch.zeros(len(y), dtype=torch.bool, device=y.device)


def follow(
    unit: RestorationUnit, batches: Iterable[Batch], *, max_steps: int, precision: torch.dtype = torch.float32
) -> Paths:
    """The paths of all images of the batches, max_steps steps each; batches may differ in size.

    max_steps: 1 or more. precision: of the convolutions, as the policy will meet it. Raises UsageError if there is no
    batch.
    """
    parts = [_follow(unit, batch, max_steps, precision) for batch in batches]
    if not parts:
        raise UsageError("there are no images", where="follow(batches=)", cure="give one batch or more")
    return Paths(
        seen=torch.cat([part.seen for part in parts]),
        loss=torch.cat([part.loss for part in parts]),
        update=torch.cat([part.update for part in parts]),
        level=torch.cat([part.level for part in parts]),
    )


def _follow(unit: RestorationUnit, batch: Batch, max_steps: int, precision: torch.dtype) -> Paths:
    witness = _Witness(unit, batch.clean)
    lower = precision != torch.float32
    with torch.no_grad(), torch.autocast(batch.degraded.device.type, precision, enabled=lower):
        unfold(unit, batch.degraded, until=witness, max_steps=max_steps)
    first, second = witness.images
    update = root_mean_square(second - first)
    return Paths(torch.stack(witness.seen, dim=1), torch.stack(witness.losses, dim=1), update, batch.level)


@dataclass(frozen=True, eq=False)
class Replay:
    """Batches of paths drawn with replacement; batch k is a function of the seed and k alone."""

    paths: Paths
    batch: int
    seed: int

    def after(self, step: int) -> Iterator[Paths]:
        """The batches of steps step + 1, step + 2, ..., without end."""
        while True:
            step += 1
            generator = torch.Generator().manual_seed(_mixed(self.seed, step))
            chosen = torch.randint(len(self.paths), (self.batch,), generator=generator)
            yield self.paths.select(chosen.to(self.paths.loss.device))


def _mixed(seed: int, step: int) -> int:
    """One seed of two numbers; 2^32 steps do not reach the next one's."""
    return seed * 2**32 + step
