"""Adversarial training by projected gradients: PGD-k, its one-step form, and TRADES.

Attacks look at the network as it is used (`evaluating`): with BatchNorm, statistics of batches are taken and kept only
by the passes that move the weights. Their passes work out no gradient of a weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from backbone.attacks.attack import evaluating
from backbone.attacks.box import Box
from backbone.attacks.pgd import ascend
from backbone.samples import Samples
from backbone.train.adversarial import Adversarial, Algorithm

ONE_STEP = 1.25  # of eps: Wong, Rice, Kolter, ICLR 2020
START = 1e-3  # deviation of TRADES' normal start


@dataclass(frozen=True)
class Pgd(Algorithm):
    """eta <- P(eta + alpha sign d loss / d eta) k times from a random start, then a step of the weights: k + 1 passes.

    Madry, Makelov, Schmidt, Tsipras, Vladu, ICLR 2018.
    """

    k: int
    alpha: float

    def __call__(self, game: Adversarial, batch: Samples) -> float:
        x = batch.inputs
        eta, box = game.start(batch)
        with evaluating(game.net):
            game.eta = ascend(
                lambda eta: game.loss_of(game.net, batch.at(x + eta)), eta, box, alpha=self.alpha, n_steps=self.k
            )
        game.passes.full += self.k + 1
        return game.step(game.loss_of(game.net, batch.at(x + game.eta)))


@dataclass(frozen=True)
class Fast(Algorithm):
    """PGD-1 from a random start with a step of 1.25 eps: 2 passes. Wong, Rice, Kolter, ICLR 2020."""

    def __call__(self, game: Adversarial, batch: Samples) -> float:
        return Pgd(1, ONE_STEP * game.eps)(game, batch)


@dataclass(frozen=True)
class Trades(Algorithm):
    """min loss(x) + beta KL(p(x) || p(x + eta)), eta by k steps of ascent of that divergence: k + 2 passes.

    The answer p(x) that the ascent looks at is one more pass forward alone, which is not counted. Zhang, Yu, Jiao,
    Xing, El Ghaoui, Jordan, ICML 2019, eq. (5).
    """

    k: int
    alpha: float
    beta: float = 6.0

    def __call__(self, game: Adversarial, batch: Samples) -> float:
        x, box = batch.inputs, Box.around(batch.inputs, game.eps)
        generator = game.generator
        drawn = game.replicas.drawn(
            x, lambda whole: torch.randn(whole.shape, generator=generator, dtype=x.dtype, device=generator.device)
        )
        start = box.project(START * drawn.to(x.device))
        with evaluating(game.net):
            with torch.no_grad():
                answer = _log_probabilities(game, batch)
            game.eta = ascend(
                lambda eta: _divergence(answer, _log_probabilities(game, batch.at(x + eta))),
                start,
                box,
                alpha=self.alpha,
                n_steps=self.k,
            )
        game.passes.full += self.k + 2
        apart = _divergence(_log_probabilities(game, batch), _log_probabilities(game, batch.at(x + game.eta)))
        return game.step(game.loss_of(game.net, batch) + self.beta * apart)


def _log_probabilities(game: Adversarial, samples: Samples) -> Float[Tensor, "sample class"]:
    with game.passing(samples):
        logits: Tensor = game.net(samples.inputs)
    return functional.log_softmax(logits if logits.dtype == torch.float64 else logits.float(), dim=1)


def _divergence(p: Float[Tensor, "sample class"], q: Float[Tensor, "sample class"]) -> Float[Tensor, ""]:
    """The mean of KL(p || q), both as logarithms."""
    return functional.kl_div(q, p, reduction="batchmean", log_target=True)
