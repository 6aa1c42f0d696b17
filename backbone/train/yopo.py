"""YOPO: only the first layer sees the perturbation, so most of an attack needs no pass through the rest.

Zhang, Zhang, Lu, Zhu, Dong, "You Only Propagate Once", NeurIPS 2019: Pontryagin's principle for the differential game
of weights and perturbation, whose slack p is what the first layer's output adds to the loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from backbone.attacks.box import Box, Perturbation
from backbone.errors import UsageError
from backbone.samples import Samples
from backbone.stem import Stemmed
from backbone.train.adversarial import Adversarial, Algorithm, gradients
from backbone.train.first_layer import FirstLayer, first_layer


@dataclass(frozen=True)
class Yopo(Algorithm):
    """m rounds of one full pass at x + eta, p = d loss / d f0, and n steps eta <- P(eta + alpha sign d p.f0 / d eta).

    The weights take one step by the sum over the rounds: of d loss / d theta for the rest, of d p.f0 / d theta0 at the
    eta after each round's steps for the first layer. m full passes and m (n + 1) of the first layer a batch. With
    BatchNorm all passes train. Raises UsageError for a net that is not cut behind its first layer (`Stemmed`).
    """

    m: int
    n: int
    alpha: float

    def __call__(self, game: Adversarial, batch: Samples) -> float:
        net = _stemmed(game)
        layer, rest = first_layer(net.first), list(net.rest.parameters())
        eta, box = game.start(batch)
        sums: list[Tensor] = []
        value = 0.0
        for _ in range(self.m):
            value, p, of_rest = self._full_pass(game, net, batch.at(batch.inputs + eta), rest)
            with game.passing(batch):
                eta = self._ascended(layer, batch.inputs, eta, box, p)
                of_first = layer.weight_slopes(batch.inputs + eta, p)
            summand = [*of_first, *of_rest]
            sums = [total + one for total, one in zip(sums, summand, strict=True)] if sums else summand
        game.eta = eta
        game.passes.full += self.m
        game.passes.first += self.m * (self.n + 1)
        game.descent.step(sums)
        return value

    @staticmethod
    def _full_pass(
        game: Adversarial, net: Stemmed, perturbed: Samples, rest: list[torch.nn.Parameter]
    ) -> tuple[float, Tensor, list[Tensor]]:
        """Loss, slack and gradients of the rest's weights."""
        with torch.no_grad(), game.passing(perturbed):
            features: Tensor = net.first(perturbed.inputs)
        features.requires_grad_(True)
        loss = game.loss_of(net.rest, perturbed.at(features))
        value = game.descent.value(loss)
        p, *of_rest = gradients(loss, [features, *rest])
        return value, p, of_rest

    def _ascended(self, layer: FirstLayer, x: Tensor, eta: Perturbation, box: Box, p: Tensor) -> Perturbation:
        """n steps; under one slope for all of them they are one step n times as long, as the box is convex."""
        if layer.affine:
            return box.project(eta + self.n * self.alpha * layer.input_slope(x, p).sign())
        for _ in range(self.n):
            eta = box.project(eta + self.alpha * layer.input_slope(x + eta, p).sign())
        return eta


def _stemmed(game: Adversarial) -> Stemmed:
    if not isinstance(game.net, Stemmed):
        raise UsageError(
            f"a {type(game.net).__name__} does not say which layer is its first",
            where="Yopo",
            cure="Stemmed(first, rest)",
        )
    return game.net
