"""Projected gradient ascent: the attack of Madry et al., ICLR 2018."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from backbone.attacks.attack import Attack
from backbone.attacks.box import Box, Perturbation, uniform
from backbone.samples import Samples, cross_entropy

Objective = Callable[[Tensor], Tensor]  # of a perturbation: a number to make large


def ascend(objective: Objective, eta: Perturbation, box: Box, *, alpha: float, n_steps: int) -> Perturbation:
    """eta <- P(eta + alpha sign d objective / d eta), n_steps times. Weights get no gradient, nor is one worked out."""
    for _ in range(n_steps):
        eta = box.project(eta + alpha * slope(objective, eta).sign())
    return eta


def slope(objective: Objective, eta: Perturbation) -> Perturbation:
    """d objective / d eta, of eta alone."""
    eta = eta.detach().requires_grad_(True)
    return torch.autograd.grad(objective(eta), eta)[0]


@dataclass(frozen=True, kw_only=True)
class PgdAttack(Attack):
    """PGD on the cross entropy from a random start in the box."""

    alpha: float
    n_steps: int = 20

    def once(self, net: nn.Module, samples: Samples, generator: torch.Generator) -> Float[Tensor, " sample *shape"]:
        x, box = samples.inputs, Box.around(samples.inputs, self.eps)
        start = box.project(uniform(x, self.eps, generator))
        eta = ascend(
            lambda eta: cross_entropy(net, samples.at(x + eta)), start, box, alpha=self.alpha, n_steps=self.n_steps
        )
        return x + eta
