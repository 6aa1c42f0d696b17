"""Free adversarial training: one backward pass moves weights and perturbation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from backbone.attacks.box import Box
from backbone.errors import UsageError
from backbone.samples import Samples
from backbone.train.adversarial import Adversarial, Algorithm, gradients


@dataclass(frozen=True)
class Free(Algorithm):
    """m times on each batch: g, G = d loss / d (eta, theta); theta <- optimiser(theta, G); eta <- P(eta + eps sign g).

    m full passes and m steps of the weights a batch, so that training takes 1/m of the epochs. eta goes on from batch
    to batch: entry k of a batch begins with what entry k of the last one ended with. With BatchNorm all passes train.
    Shafahi, Najibi, Ghiasi, Xu, Dickerson, Studer, Davis, Taylor, Goldstein, NeurIPS 2019, Algorithm 1.
    """

    m: int

    def __call__(self, game: Adversarial, batch: Samples) -> float:
        x, box = batch.inputs, Box.around(batch.inputs, game.eps)
        kept = torch.zeros_like(x) if game.eta is None else game.eta[game.replicas.own(len(game.eta))]
        if len(kept) < len(x):
            raise UsageError(
                f"a batch of {len(x)} after one of {len(kept)}", where="Free", cure="give batches of one size"
            )
        value = 0.0
        weights = list(game.net.parameters())
        for _ in range(self.m):
            eta = box.project(kept[: len(x)]).requires_grad_(True)
            loss = game.loss_of(game.net, batch.at(x + eta))
            value = game.descent.value(loss)
            slope, *steps = gradients(loss, [eta, *weights])
            game.descent.step(steps)
            moved = box.project(eta.detach() + game.eps * slope.nan_to_num().sign())
            kept = torch.cat([moved, kept[len(x) :]])
        game.eta = game.replicas.gathered(kept)
        game.passes.full += self.m
        return value
