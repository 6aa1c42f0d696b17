"""What attacks share: the network evaluates, and each restart goes on with the pictures that are still told right."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from backbone.errors import UsageError
from backbone.samples import Samples


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """The network as it is used: statistics of batches neither taken nor kept, so that no picture sees another."""
    trained = net.training
    net.eval()
    try:
        yield
    finally:
        net.train(trained)


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """eps: largest change of an entry. restarts: attempts, each on the pictures that the ones before did not break.

    Raises UsageError for an eps that is not positive.
    """

    eps: float
    restarts: int = 1

    def __post_init__(self) -> None:
        if not self.eps > 0:
            raise UsageError(f"eps must be positive, got {self.eps}", where=type(self).__name__, cure="eps=0.1")

    @abstractmethod
    def once(self, net: nn.Module, samples: Samples, generator: torch.Generator) -> Float[Tensor, " sample *shape"]:
        """One attempt: pictures within the box of each sample."""

    def __call__(
        self, net: nn.Module, samples: Samples, *, generator: torch.Generator
    ) -> Float[Tensor, " sample *shape"]:
        """Adversarial pictures; those told wrong as they are stay so."""
        found = samples.inputs.clone()
        with evaluating(net):
            for _ in range(self.restarts):
                standing = _told_right(net, samples.at(found)).nonzero()[:, 0]
                if len(standing) == 0:
                    break
                found[standing] = self.once(net, samples.rows(standing), generator)
        return found


@torch.no_grad()
def _told_right(net: nn.Module, samples: Samples) -> Bool[Tensor, " sample"]:
    logits: Tensor = net(samples.inputs)
    return logits.argmax(1) == samples.labels


def accuracy(net: nn.Module, samples: Samples, *, batch: int = 250) -> float:
    """The share of samples that the network tells right."""
    with evaluating(net):
        right = sum(int(_told_right(net, part).sum()) for part in samples.batches(batch))
    return right / len(samples)


def robust_accuracy(
    net: nn.Module, attack: Attack, samples: Samples, *, generator: torch.Generator, batch: int = 250
) -> float:
    """The share of samples that the network tells right before and after an attack."""
    right = 0
    for part in samples.batches(batch):
        adversarial = part.at(attack(net, part, generator=generator))
        with evaluating(net):
            right += int(_told_right(net, adversarial).sum())
    return right / len(samples)
