"""What every first-order update shares: an optimiser on a network's weights that lets nothing infinite through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.data_parallel import ALONE, Replicas
from backbone.errors import UntrustedResult

PATIENCE = 10  # batches


class Descent:
    """theta <- optimiser(theta, gradient).

    A gradient that is not finite under a finite loss moves nothing: one such batch in many thousands would be the end
    of a training. Raises UntrustedResult for a loss that is not finite, before any weight moves, and for PATIENCE such
    gradients in a row.
    Replicas of the net, each on its share of a batch, move by the mean of their gradients.
    """

    def __init__(self, net: nn.Module, optimiser: Optimizer, replicas: Replicas = ALONE) -> None:
        self.net = net
        self.optimiser = optimiser
        self.replicas = replicas
        self._in_vain = 0

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step by a gradient for each of the net's parameters."""
        for weight, gradient in zip(self.net.parameters(), gradients, strict=True):
            weight.grad = gradient
        self.settle()
        self.optimiser.step()

    def value(self, loss: Tensor) -> float:
        """The loss of the whole batch. Raises UntrustedResult if it is not finite."""
        value = self.replicas.mean(loss)
        if not math.isfinite(value):
            raise self._diverged(f"the loss is {value}")
        return value

    def settle(self) -> None:
        """Make the gradients in `weight.grad` those of the whole batch, and forget them if they are not finite."""
        if self.replicas.size > 1:
            self._average()
        self._drop_infinite()

    def _average(self) -> None:
        """Means over the replicas of gradients and of BatchNorm's running statistics, in one message.

        A weight has no gradient if it has none on any replica: samples that stop early do not use every one.
        """
        weights = list(self.net.parameters())
        gradients = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        statistics = _running_statistics(self.net)
        used = weights[0].new_tensor([weight.grad is not None for weight in weights])
        *means, share_of_uses = self.replicas.averaged([*gradients, *statistics, used])
        for weight, mean, share in zip(weights, means, share_of_uses.tolist(), strict=False):
            weight.grad = mean if share > 0 else None
        for statistic, mean in zip(statistics, means[len(weights) :], strict=True):
            statistic.copy_(mean)

    def _drop_infinite(self) -> None:
        """Forget a gradient that is not finite; optimisers leave weights without a gradient alone."""
        gradients = [weight.grad for weight in self.net.parameters() if weight.grad is not None]
        if math.isfinite(float(torch.stack([gradient.abs().sum() for gradient in gradients]).sum())):
            self._in_vain = 0
            return
        self._in_vain += 1
        if self._in_vain == PATIENCE:
            raise self._diverged(f"{PATIENCE} gradients in a row are not finite")
        self.optimiser.zero_grad()

    def _diverged(self, what: str) -> UntrustedResult:
        return UntrustedResult(what, where=type(self.optimiser).__name__, cure="lower the learning rate")

    def state_dict(self) -> dict[str, Any]:
        """Weights and optimiser: all that an exact resume needs."""
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])


def _running_statistics(net: nn.Module) -> list[Tensor]:
    kept = []
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.running_mean is not None:
            assert layer.running_var is not None
            kept += [layer.running_mean, layer.running_var]
    return kept
