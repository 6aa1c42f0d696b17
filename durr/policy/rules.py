"""After how many steps a path is left: by a rule, by an oracle, or always after the same number."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from durr.policy.endpoint import PolicyRule, stops
from durr.policy.paths import Paths
from durr.policy.unit import PolicyUnit
from durr.stopping import FirstUpdate


def steps_taken(rule: FirstUpdate | PolicyRule, paths: Paths) -> Int[Tensor, " path"]:
    """Where the rule leaves each path, without unfolding it again."""
    if isinstance(rule, PolicyRule):
        return policy_steps(rule.policy, paths)
    return rule.steps(paths.update).round().long().clamp_max(paths.max_steps)


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


def steps_by_level(
    paths: Paths, steps: Int[Tensor, " path"], edges: Float[Tensor, " edge"]
) -> list[tuple[float, float]]:
    """(level, steps), means over the paths of every interval of levels that has any: what --sigma asks for."""
    means = []
    for low, high in pairwise(edges):
        inside = (paths.level >= low) & (paths.level < high)
        if inside.any():
            means.append((float(paths.level[inside].mean()), float(steps[inside].double().mean())))
    return means
