"""Samples with labels, and the loss of a network that tells classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

Inputs = Float[Tensor, " sample *shape"]


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs, pictures in [0, 1] for the most part, and the class of each."""

    inputs: Inputs
    labels: Int[Tensor, " sample"]

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, inputs: Float[Tensor, " sample *other"]) -> Samples:
        """Other inputs of the same classes: perturbed ones, or features."""
        return replace(self, inputs=inputs)

    def rows(self, chosen: Int[Tensor, " row"] | Bool[Tensor, " sample"] | slice) -> Samples:
        """Some of the samples."""
        return Samples(self.inputs[chosen], self.labels[chosen])

    def samples(self, chosen: Int[Tensor, " row"]) -> Samples:
        """Some of the samples: as what batches are drawn from."""
        return self.rows(chosen)

    def to(self, device: torch.device) -> Samples:
        """The same on a device."""
        return Samples(self.inputs.to(device), self.labels.to(device))

    def batches(self, size: int) -> Iterator[Samples]:
        """All samples in order, the last batch perhaps smaller."""
        return (self.rows(slice(start, start + size)) for start in range(0, len(self), size))


def cross_entropy(net: nn.Module, samples: Samples) -> Float[Tensor, ""]:
    """The mean of -log p(label), worked out in float32 or better whatever the network computes in."""
    return each_cross_entropy(net(samples.inputs), samples.labels).mean()


def each_cross_entropy(
    logits: Float[Tensor, "sample class"], labels: Int[Tensor, " sample"]
) -> Float[Tensor, " sample"]:
    """-log p(label) of each sample."""
    wide = logits if logits.dtype == torch.float64 else logits.float()
    return functional.cross_entropy(wide, labels, reduction="none")
