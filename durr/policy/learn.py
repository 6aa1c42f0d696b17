"""Learn when to stop a frozen unit: policies by Q-learning and by regression, a line; the best by validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.optim import AdamW

from backbone.train.fit import Progress, Update, fit
from backbone.train.gradient import Gradient
from durr.policy.compare import Comparison, compare
from durr.policy.endpoint import PolicyRule
from durr.policy.first_update import fit_first_update
from durr.policy.paths import Paths, Replay
from durr.policy.q_learning import QLearning
from durr.policy.regression import hindsight_loss
from durr.policy.rules import steps_taken
from durr.policy.unit import PolicyUnit
from durr.stopping import FirstUpdate

Q_LEARNING, REGRESSION, FIRST_UPDATE = "q-learning", "regression", "first update"
BATCH = 64  # paths
LEARNING_RATE = 3e-3  # falls to zero along a cosine
WEIGHT_DECAY = 1e-2
N_UPDATES = 2000  # enough: 10 s on one core


@dataclass(frozen=True, eq=False)
class Learned:
    """Rules by what they were learned with, and how they compare on the validation paths."""

    rules: Mapping[str, FirstUpdate | PolicyRule]
    comparison: Comparison

    @property
    def best(self) -> str:
        """The name of the rule that is worth most: PSNR, less the price of its steps."""
        return self.comparison.best(list(self.rules))


def learn_rules(
    training: Paths, validation: Paths, *, grades: Mapping[int, float], most: int, n_updates: int, seed: int
) -> Learned:
    """Learn on one set of paths in every way, compare on the other at these grades, given with their levels.

    most: the longest unfolding of the unit's training. The same arguments give the same rules on one machine.
    """
    rules: dict[str, FirstUpdate | PolicyRule] = {
        name: PolicyRule(learn(name, training, n_updates=n_updates, seed=seed)) for name in (Q_LEARNING, REGRESSION)
    }
    rules[FIRST_UPDATE] = fit_first_update(training, most)
    steps = {name: steps_taken(rule, validation) for name, rule in rules.items()}
    return Learned(rules, compare(validation, steps, grades))


def learn(algorithm: str, paths: Paths, *, n_updates: int, seed: int) -> PolicyUnit:
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
