"""Learn when to stop a frozen unit: policies by Q-learning and by regression, the better one by validation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.optim import AdamW

from backbone.train.fit import Progress, Update, fit
from backbone.train.gradient import Gradient
from durr.policy.compare import Comparison, compare
from durr.policy.paths import Paths, Replay
from durr.policy.q_learning import QLearning
from durr.policy.regression import hindsight_loss
from durr.policy.rules import policy_steps
from durr.policy.unit import PolicyUnit

Q_LEARNING, REGRESSION = "q-learning", "regression"
BATCH = 64  # paths
LEARNING_RATE = 3e-3  # falls to zero along a cosine
WEIGHT_DECAY = 1e-2
N_UPDATES = 2000  # 10 s on one core


@dataclass(frozen=True, eq=False)
class Learned:
    """policies by algorithm, and how they compare on the validation paths."""

    policies: Mapping[str, PolicyUnit]
    comparison: Comparison

    @property
    def best(self) -> str:
        """The algorithm whose policy has the highest PSNR."""
        return self.comparison.best(list(self.policies))


def learn_policy(
    training: Paths, validation: Paths, *, sigmas: Sequence[int], n_updates: int = N_UPDATES, seed: int
) -> Learned:
    """Learn on one set of paths by every algorithm, compare on the other at these levels (of 255).

    The same arguments give the same weights on one machine.
    """
    policies = {name: learn(name, training, n_updates=n_updates, seed=seed) for name in (Q_LEARNING, REGRESSION)}
    steps = {name: policy_steps(policy, validation) for name, policy in policies.items()}
    return Learned(policies, compare(validation, steps, sigmas))


def learn(algorithm: str, paths: Paths, *, n_updates: int = N_UPDATES, seed: int) -> PolicyUnit:
    """A policy learned by one algorithm: "q-learning" or "regression"."""
    policy = PolicyUnit(paths.seen.shape[-1], generator=torch.Generator().manual_seed(seed)).to(paths.seen.device)
    policy.standardise(paths.seen)
    optimiser = AdamW(policy.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    update = _update(algorithm, policy, optimiser)

    def cool(progress: Progress) -> None:
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * (0.5 + 0.5 * math.cos(math.pi * progress.step / n_updates))

    fit(update, Replay(paths, BATCH, seed).after(0), n_steps=n_updates, observers=[cool])
    return policy


def _update(algorithm: str, policy: PolicyUnit, optimiser: AdamW) -> Update[Paths]:
    if algorithm == Q_LEARNING:
        return QLearning(policy, optimiser)
    return Gradient(policy, hindsight_loss, optimiser)
