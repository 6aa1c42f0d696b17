"""A policy fitted to hindsight: what is still to be gained from each state, read off the whole path.

Q-learning asks the policy itself what it will gain later; plain regression asks an oracle that has seen the clean
image: the gain from state n to the best of the states behind it,

    G_n = J(X_n) - min over m > n of J(X_m),    J the loss and the time spent, `Paths.cost`,

which is positive where going on pays and negative past the best step.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from durr.policy.paths import Paths
from durr.policy.unit import PolicyUnit
from durr.policy.value import fit_error, squash


def hindsight_loss(policy: nn.Module, batch: Paths) -> Float[Tensor, ""]:
    """How far Q(continue) is from the squashed remaining gain and Q(stop) from 0, for `backbone.train.Gradient`."""
    assert isinstance(policy, PolicyUnit)
    return fit_error(policy.along(batch.seen), squash(remaining_gains(batch.cost)))


def remaining_gains(cost: Float[Tensor, "path time"]) -> Float[Tensor, "path step"]:
    """G_n in dB for n = 0 ... max_steps - 1."""
    best_later = cost.flip(1).cummin(dim=1).values.flip(1)
    return cost[:, :-1] - best_later[:, 1:]
