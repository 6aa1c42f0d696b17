"""Adversarial training, min over weights of max over |eta| <= eps of the loss: what its algorithms share.

Gradients are lists of their own (torch.autograd.grad): no pass leaves anything in `weight.grad` that another one would
add to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.attacks.box import Box, Perturbation, uniform
from backbone.data_parallel import ALONE, Replicas
from backbone.errors import UsageError
from backbone.samples import Samples
from backbone.train.descent import Descent

Loss = Callable[[nn.Module, Samples], Tensor]


@dataclass
class Passes:
    """What an algorithm has done by its definition: passes forward and back through the whole net, and its first layer.

    Counted batch by batch, whatever a pass leaves out because nobody asks for it (gradients of weights in an attack).
    """

    full: int = 0
    first: int = 0


def gradients(loss: Tensor, of: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """d loss / d each, zero for what the loss does not hang on: layers left out, coefficients of a first step."""
    return torch.autograd.grad(loss, of, allow_unused=True, materialize_grads=True)


class Algorithm(ABC):
    """How perturbations and weights take turns on one batch."""

    @abstractmethod
    def __call__(self, game: Adversarial, batch: Samples) -> float:
        """Perturb and step the weights; the loss of the perturbed samples at the weights before the last step."""


class Adversarial:
    """An update on perturbed samples, inputs in [0, 1]: the two players of an algorithm, and what it keeps.

    loss(net, samples): a scalar, a mean over samples. generator: of random starts. precision: of the passes; weights,
    their gradients and perturbations stay as they are. replicas: each has its share of a batch.
    Raises UntrustedResult as `Descent` does.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: Loss,
        optimiser: Optimizer,
        algorithm: Algorithm,
        *,
        eps: float,
        generator: torch.Generator,
        precision: torch.dtype = torch.float32,
        replicas: Replicas = ALONE,
    ) -> None:
        if not eps > 0:
            raise UsageError(f"eps must be positive, got {eps}", where="Adversarial", cure="eps=0.1")
        self.net = net
        self.loss = loss
        self.algorithm = algorithm
        self.eps = eps
        self.generator = generator
        self.precision = precision
        self.replicas = replicas
        self.descent = Descent(net, optimiser, replicas)
        self.passes = Passes()
        self.eta: Perturbation | None = None  # of the last batch

    def __call__(self, batch: Samples, /) -> dict[str, float]:
        """The update on one batch; loss: of the perturbed samples."""
        return {"loss": self.algorithm(self, batch)}

    def start(self, batch: Samples) -> tuple[Perturbation, Box]:
        """A random perturbation, and the box it lives in."""
        box = Box.around(batch.inputs, self.eps)
        drawn = self.replicas.drawn(batch.inputs, lambda whole: uniform(whole, self.eps, self.generator))
        return box.project(drawn), box

    def passing(self, batch: Samples) -> torch.autocast:
        """One pass in the number format asked for. A context each: casts of weights do not outlive a step of them."""
        lower = self.precision in (torch.bfloat16, torch.float16)
        return torch.autocast(batch.labels.device.type, self.precision if lower else None, enabled=lower)

    def loss_of(self, net: nn.Module, samples: Samples) -> Tensor:
        """The loss of one pass."""
        with self.passing(samples):
            return self.loss(net, samples)

    def step(self, loss: Tensor) -> float:
        """One step of the weights by the gradient of a loss; its value."""
        value = self.descent.value(loss)
        self.descent.step(gradients(loss, list(self.net.parameters())))
        return value

    def state_dict(self) -> dict[str, Any]:
        """All that an exact resume needs."""
        kept = {"passes": asdict(self.passes), "generator": self.generator.get_state(), "eta": self.eta}
        return {**self.descent.state_dict(), **kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self.descent.load_state_dict(state)
        self.passes = Passes(**state["passes"])
        self.generator.set_state(state["generator"].cpu())
        self.eta = state["eta"]
