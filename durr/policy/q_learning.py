"""Deep Q-learning of the stopping time, as DURR trains its policy.

Continuing from state n - 1 to n earns lambda (L(X_{n-1}) - L(X_n)) less the price of a step, stopping earns 0 and ends
the game (DURR, section on the policy unit; the price is R of its control problem). The optimal values obey

    Q(X_n, stop) = 0,    Q(X_n, continue) = r_{n+1} + gamma max(Q(X_{n+1}, continue), Q(X_{n+1}, stop)),

and at the last state of a path only stopping is left.

Nothing is random here but the picture: where an action leads is known for both, and the path under "continue" passes
every state that can be met. So there is nothing to explore: whole paths are replayed from their beginning, which is
also what the recurrent memory needs, and both actions are learned at every state (no epsilon-greedy play). The targets
come from a copy of the weights that is refreshed every so often (Mnih et al., Nature 518, 2015).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from backbone.train.gradient import Gradient
from durr.policy.paths import Paths
from durr.policy.unit import PolicyUnit
from durr.policy.value import fit_error, squash, unsquash

REFRESH = 20  # updates between two copies of the weights
DISCOUNT = 1.0  # paths end: a dB gained later is worth the same


class QLearning:
    """An `Update`: one step of the optimiser towards the targets of the frozen copy, on a batch of whole paths."""

    def __init__(
        self, policy: PolicyUnit, optimiser: Optimizer, *, discount: float = DISCOUNT, refresh: int = REFRESH
    ) -> None:
        self.target = copy.deepcopy(policy).requires_grad_(False)
        self.discount = discount
        self.refresh = refresh
        self.updates = 0
        self._gradient: Gradient[Paths] = Gradient(policy, self._loss, optimiser)

    def __call__(self, batch: Paths, /) -> dict[str, float]:
        """One update; loss: its value at the weights before it."""
        metrics = self._gradient(batch)
        self.updates += 1
        if self.updates % self.refresh == 0:
            self.target.load_state_dict(self._gradient.net.state_dict())
        return metrics

    def _loss(self, policy: nn.Module, batch: Paths) -> Float[Tensor, ""]:
        assert isinstance(policy, PolicyUnit)
        with torch.no_grad():
            targets = bellman_targets(self.target.along(batch.seen), batch.gains, self.discount)
        return fit_error(policy.along(batch.seen), targets)

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser, target: all that an exact resume needs."""
        return {**self._gradient.state_dict(), "target": self.target.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` gave."""
        self._gradient.load_state_dict(state)
        self.target.load_state_dict(state["target"])
        self.updates = state["updates"]


def bellman_targets(
    values: Float[Tensor, "path time 2"], gains: Float[Tensor, "path step"], discount: float
) -> Float[Tensor, "path step"]:
    """Targets of Q(continue) at the states 0 ... max_steps - 1, squashed; values are Q at all states, squashed too."""
    after = unsquash(values[:, 1:].amax(dim=-1))
    after[:, -1] = 0.0  # the path ends: only stopping is left, and that earns 0
    return squash(gains + discount * after)
