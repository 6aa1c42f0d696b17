"""Batches in an order that a seed and the number of the epoch decide, so that a training can go on anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from backbone.data_parallel import ALONE, Replicas
from backbone.errors import UsageError
from backbone.samples import Samples

EPOCHS = 100_003  # more than any training has: seeds of the epochs of one seed are not those of another


@runtime_checkable
class Source(Protocol):
    """Samples to be drawn: a set of pictures, or samples as they are."""

    def __len__(self) -> int: ...
    def samples(self, chosen: Tensor, /) -> Samples: ...


@dataclass(frozen=True, eq=False)
class ShuffledBatches:
    """Batches of one size; what is left over of an epoch is not shown. Of each, replicas get their shares.

    Raises UsageError if there is not one batch, or no equal shares of it.
    """

    source: Source
    batch: int
    seed: int
    device: torch.device
    replicas: Replicas = ALONE

    def __post_init__(self) -> None:
        self.replicas.own(self.batch)
        if not 0 < self.batch <= len(self.source):
            raise UsageError(
                f"batches of {self.batch} from {len(self.source)} samples",
                where="--batch",
                cure=f"--batch {min(128, len(self.source))}",
            )

    @property
    def per_epoch(self) -> int:
        """Batches of an epoch."""
        return len(self.source) // self.batch

    def after(self, step: int) -> Iterator[Samples]:
        """All batches from number `step` (from 0) on, without end."""
        while True:
            epoch, begin = divmod(step, self.per_epoch)
            generator = torch.Generator().manual_seed(EPOCHS * self.seed + epoch)
            order = torch.randperm(len(self.source), generator=generator)
            for place in range(begin, self.per_epoch):
                chosen = order[place * self.batch : (place + 1) * self.batch]
                yield self.source.samples(chosen[self.replicas.own(self.batch)]).to(self.device)
            step = (epoch + 1) * self.per_epoch
