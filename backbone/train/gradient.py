"""Gradient training: one optimiser step on the loss of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.errors import UntrustedResult

BatchT = TypeVar("BatchT")


class Gradient(Generic[BatchT]):
    """theta <- optimiser(theta, d loss(net, batch) / d theta).

    loss(net, batch) is a scalar; it may add penalties on the weights. Any torch optimiser: Adam evaluates the loss
    once, L-BFGS as often as it needs. Raises UntrustedResult for a loss that is not finite, before any weight moves.
    """

    def __init__(self, net: nn.Module, loss: Callable[[nn.Module, BatchT], Tensor], optimiser: Optimizer) -> None:
        self.net = net
        self.loss = loss
        self.optimiser = optimiser

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One step; loss: its value at the weights before it."""
        losses: list[float] = []

        def evaluate() -> Float[Tensor, ""]:
            self.optimiser.zero_grad()
            loss = self.loss(self.net, batch)
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise UntrustedResult(
                    f"the loss is {losses[-1]}", where=type(self.optimiser).__name__, cure="lower the learning rate"
                )
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        self.optimiser.step(evaluate)  # type: ignore[arg-type]
        return {"loss": losses[0]}

    def state_dict(self) -> dict[str, Any]:
        """Weights and optimiser: all that an exact resume needs."""
        return {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
