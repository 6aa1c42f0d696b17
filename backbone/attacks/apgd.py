"""Auto-PGD: ascent with momentum that halves its own steps; nothing to tune, and stronger than plain PGD.

Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
ICML 2020, Algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from backbone.attacks.attack import Attack
from backbone.attacks.box import Box, Perturbation, uniform
from backbone.samples import Samples, each_cross_entropy

MOMENTUM = 0.75  # alpha of the paper
RISING = 0.75  # rho: the share of steps that must raise the objective
FIRST, SHORTER, SHORTEST = 22, 3, 6  # lengths of the periods between checkpoints, in percent of all steps

Each = Callable[[Float[Tensor, "sample class"], Int[Tensor, " sample"]], Float[Tensor, " sample"]]


def difference_of_logits(
    logits: Float[Tensor, "sample class"], labels: Int[Tensor, " sample"]
) -> Float[Tensor, " sample"]:
    """DLR, eq. (6): -(z_y - max_{i != y} z_i) / (z_(1) - z_(3)), the logits sorted; scaling them changes nothing."""
    ordered = logits.sort(dim=1, descending=True).values
    own = logits.gather(1, labels[:, None])[:, 0]
    first = logits.argmax(1) == labels
    other = torch.where(first, ordered[:, 1], ordered[:, 0])
    return (other - own) / (ordered[:, 0] - ordered[:, 2] + 1e-12)  # the paper's guard against equal logits


def checkpoints(n_steps: int) -> list[int]:
    """w_j = ceil(p_j n), p_0 = 0, p_1 = 0.22, p_{j+1} = p_j + max(p_j - p_{j-1} - 0.03, 0.06), without w_0."""
    percent = [0, FIRST]
    while percent[-1] < 100:
        percent.append(percent[-1] + max(percent[-1] - percent[-2] - SHORTER, SHORTEST))
    return [math.ceil(share * n_steps / 100) for share in percent[1:] if share <= 100]


@dataclass(frozen=True, kw_only=True)
class Apgd(Attack):
    """Auto-PGD in the box; objective: of logits and labels, for each sample (cross entropy, or DLR)."""

    n_steps: int = 100
    objective: Each = each_cross_entropy

    def once(self, net: nn.Module, samples: Samples, generator: torch.Generator) -> Float[Tensor, " sample *shape"]:
        search = _Search(net, samples, self.objective, self.eps, generator)
        ends = set(checkpoints(self.n_steps))
        for step in range(1, self.n_steps):
            search.move()
            if step in ends:
                search.judge()
        return samples.inputs + search.found


class _Search:
    """The state of one attempt: the last two perturbations, the best one, and steps of a length for each sample."""

    def __init__(
        self, net: nn.Module, samples: Samples, objective: Each, eps: float, generator: torch.Generator
    ) -> None:
        self.net, self.samples, self.objective = net, samples, objective
        self.box = Box.around(samples.inputs, eps)
        start = uniform(samples.inputs, 1.0, generator)
        start = start * (eps / _broad(start.flatten(1).abs().amax(1), start))
        self.now = self.before = self.best = self.found = self.box.project(start)
        self.step = torch.full_like(_broad(samples.labels, start), 2 * eps, dtype=start.dtype)
        self.value, self.slope = self._look()
        self.best_value, self.best_slope = self.value, self.slope
        self.halved = torch.zeros_like(self.value, dtype=torch.bool)
        self._begin_period()
        self._go(self.box.project(self.now + self.step * self.slope.sign()))

    def move(self) -> None:
        """z = P(x_k + step sign); x_{k+1} = P(x_k + alpha (z - x_k) + (1 - alpha) (x_k - x_{k-1}))."""
        ahead = self.box.project(self.now + self.step * self.slope.sign())
        pushed = self.now + MOMENTUM * (ahead - self.now) + (1 - MOMENTUM) * (self.now - self.before)
        self._go(self.box.project(pushed))

    def judge(self) -> None:
        """Halve the steps of samples that rose too seldom, or whose best stayed; these go on from their best."""
        seldom = self.rises < RISING * self.period
        stayed = ~self.halved & (self.best_value == self.value_at_checkpoint)
        self.halved = seldom | stayed
        back = _broad(self.halved, self.now)
        self.step = torch.where(back, self.step / 2, self.step)
        self.now = torch.where(back, self.best, self.now)
        self.slope = torch.where(back, self.best_slope, self.slope)
        self.value = torch.where(self.halved, self.best_value, self.value)
        self._begin_period()

    def _begin_period(self) -> None:
        self.value_at_checkpoint = self.best_value
        self.rises = torch.zeros_like(self.value)
        self.period = 0

    def _go(self, eta: Perturbation) -> None:
        """Take a step to eta, and keep it where it is the best so far."""
        self.before, self.now = self.now, eta
        value, self.slope = self._look()
        self.rises += value > self.value
        self.period += 1
        better = value > self.best_value
        self.best = torch.where(_broad(better, eta), eta, self.best)
        self.best_slope = torch.where(_broad(better, eta), self.slope, self.best_slope)
        self.best_value = torch.where(better, value, self.best_value)
        self.value = value

    def _look(self) -> tuple[Float[Tensor, " sample"], Perturbation]:
        """The objective of each sample and its slope; what is told wrong is kept as found."""
        eta = self.now.detach().requires_grad_(True)
        logits = self.net(self.samples.inputs + eta)
        wrong = logits.detach().argmax(1) != self.samples.labels
        self.found = torch.where(_broad(wrong, eta), eta.detach(), self.found)
        values = self.objective(logits, self.samples.labels)
        return values.detach(), torch.autograd.grad(values.sum(), eta)[0]


def _broad(flags: Tensor, like: Tensor) -> Tensor:
    """One number per sample, shaped to meet the entries of each."""
    return flags.reshape(-1, *[1] * (like.ndim - 1))
