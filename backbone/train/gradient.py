"""Gradient training: one optimiser step on the loss of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.errors import UntrustedResult

BatchT = TypeVar("BatchT")

PATIENCE = 10  # batches


class Gradient(Generic[BatchT]):
    """theta <- optimiser(theta, d loss(net, batch) / d theta).

    loss(net, batch) is a scalar; it may add penalties on the weights. Any torch optimiser: Adam evaluates the loss
    once, L-BFGS as often as it needs. A gradient that is not finite under a finite loss moves nothing: one such batch
    in many thousands would be the end of a training. Raises UntrustedResult for a loss that is not finite, before any
    weight moves, and for PATIENCE such gradients in a row.
    """

    def __init__(self, net: nn.Module, loss: Callable[[nn.Module, BatchT], Tensor], optimiser: Optimizer) -> None:
        self.net = net
        self.loss = loss
        self.optimiser = optimiser
        self._in_vain = 0

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One step; loss: its value at the weights before it."""
        losses: list[float] = []

        def evaluate() -> Float[Tensor, ""]:
            self.optimiser.zero_grad()
            loss = self.loss(self.net, batch)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise self._diverged(f"the loss is {losses[-1]}")
            loss.backward()  # type: ignore[no-untyped-call]
            self._drop_infinite()
            return loss

        self.optimiser.step(evaluate)  # type: ignore[arg-type]
        return {"loss": losses[0]}

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
