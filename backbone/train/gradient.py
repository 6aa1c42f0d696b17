"""Gradient training: one optimiser step on the loss of a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.data_parallel import ALONE, Replicas
from backbone.train.descent import Descent

BatchT = TypeVar("BatchT")


class Gradient(Generic[BatchT]):
    """theta <- optimiser(theta, d loss(net, batch) / d theta).

    loss(net, batch) is a scalar; it may add penalties on the weights. Any torch optimiser: Adam evaluates the loss
    once, L-BFGS as often as it needs. replicas: the loss is a mean over samples then, each has its share of a batch.
    Raises UntrustedResult as `Descent` does.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Callable[[nn.Module, BatchT], Tensor],
        optimiser: Optimizer,
        replicas: Replicas = ALONE,
    ) -> None:
        self.net = net
        self.loss = loss
        self.optimiser = optimiser
        self.descent = Descent(net, optimiser, replicas)

    def __call__(self, batch: BatchT, /) -> dict[str, float]:
        """One step; loss: its value at the weights before it."""
        losses: list[float] = []

        def evaluate() -> Float[Tensor, ""]:
            self.optimiser.zero_grad()
            loss = self.loss(self.net, batch)
            losses.append(self.descent.value(loss))
            loss.backward()  # type: ignore[no-untyped-call]
            self.descent.settle()
            return loss

        self.optimiser.step(evaluate)  # type: ignore[arg-type]
        return {"loss": losses[0]}

    def state_dict(self) -> dict[str, Any]:
        """Weights and optimiser: all that an exact resume needs."""
        return self.descent.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.descent.load_state_dict(state)
