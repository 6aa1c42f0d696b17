"""Batches in an order that a seed and the number of the epoch decide, so that a training can go on anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from backbone.data.picture_set import PictureSet
from backbone.errors import UsageError
from backbone.samples import Samples

EPOCHS = 100_003  # more than any training has: seeds of the epochs of one seed are not those of another


@dataclass(frozen=True, eq=False)
class ShuffledBatches:
    """Batches of one size; what is left over of an epoch is not shown. Raises UsageError if there is not one batch."""

    pictures: PictureSet
    batch: int
    seed: int
    device: torch.device

    def __post_init__(self) -> None:
        if not 0 < self.batch <= len(self.pictures):
            raise UsageError(
                f"batches of {self.batch} from {len(self.pictures)} pictures",
                where="--batch",
                cure=f"--batch {min(128, len(self.pictures))}",
            )

    @property
    def per_epoch(self) -> int:
        """Batches of an epoch."""
        return len(self.pictures) // self.batch

    def after(self, step: int) -> Iterator[Samples]:
        """All batches from number `step` (from 0) on, without end."""
        while True:
            epoch, begin = divmod(step, self.per_epoch)
            generator = torch.Generator().manual_seed(EPOCHS * self.seed + epoch)
            order = torch.randperm(len(self.pictures), generator=generator)
            for place in range(begin, self.per_epoch):
                chosen = order[place * self.batch : (place + 1) * self.batch]
                yield self.pictures.samples(chosen).to(self.device)
            step = (epoch + 1) * self.per_epoch
