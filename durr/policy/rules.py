"""After how many steps a path is left: by a policy, by an oracle, or always after the same number."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from durr.policy.endpoint import stops
from durr.policy.paths import Paths
from durr.policy.unit import PolicyUnit


def policy_steps(policy: PolicyUnit, paths: Paths) -> Int[Tensor, " path"]:
    """The first state where Q(stop) >= Q(continue), the last state if there is none: what the endpoint does."""
    with torch.no_grad():
        ends = stops(policy.along(paths.seen))
    ends[:, -1] = True
    return ends.int().argmax(dim=1)


def oracle_steps(paths: Paths) -> Int[Tensor, " path"]:
    """The state closest to the clean image; no rule that sees the noisy one can do better."""
    return paths.loss.argmin(dim=1)


def best_fixed_step(paths: Paths) -> int:
    """The one number of steps that is best on average over the paths."""
    return int(paths.loss.mean(dim=0).argmin())


def loss_after(paths: Paths, steps: Int[Tensor, " path"]) -> Float[Tensor, " path"]:
    """L of each path after its number of steps, dB."""
    return paths.loss.gather(1, steps.unsqueeze(1)).squeeze(1)
