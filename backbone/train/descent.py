"""What every first-order update shares: an optimiser on a network's weights that lets nothing infinite through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.errors import UntrustedResult

PATIENCE = 10  # batches


class Descent:
    """theta <- optimiser(theta, gradient).

    A gradient that is not finite under a finite loss moves nothing: one such batch in many thousands would be the end
    of a training. Raises UntrustedResult for a loss that is not finite, before any weight moves, and for PATIENCE such
    gradients in a row.
    """

    def __init__(self, net: nn.Module, optimiser: Optimizer) -> None:
        self.net = net
        self.optimiser = optimiser
        self._in_vain = 0

    def step(self, gradients: Sequence[Tensor]) -> None:
        """One step by a gradient for each of the net's parameters."""
        for weight, gradient in zip(self.net.parameters(), gradients, strict=True):
            weight.grad = gradient
        self.drop_infinite()
        self.optimiser.step()

    def demand_finite(self, loss: float) -> None:
        """Raise UntrustedResult for a loss that is not finite."""
        if not math.isfinite(loss):
            raise self._diverged(f"the loss is {loss}")

    def drop_infinite(self) -> None:
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
