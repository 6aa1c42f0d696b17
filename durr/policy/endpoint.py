"""The policy at work: it looks at every state of a solve and says which images stop."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from backbone.endpoint import Endpoint
from durr.policy.features import Looking
from durr.policy.unit import PolicyUnit
from durr.unit import RestorationUnit


class PolicyEndpoint:
    """An image stops at the first state where Q(stop) >= Q(continue); the first one, X(0), may be it.

    For one solve: it remembers, image by image, what it has seen. The end of the grid is the cap.
    """

    def __init__(self, policy: PolicyUnit, unit: RestorationUnit) -> None:
        self._policy = policy
        self._looking = Looking(unit)
        self._memory: Float[Tensor, "batch hidden"] | None = None

    def __call__(self, t: float, y: Float[Tensor, "batch row col feature"]) -> Bool[Tensor, " batch"]:
        memory = self._policy.start(len(y)) if self._memory is None else self._memory
        with torch.no_grad():
            values, self._memory = self._policy(self._looking(y), memory)
        return stops(values)


def stops(values: Float[Tensor, "*shape 2"]) -> Bool[Tensor, "*shape"]:
    """Where Q(stop) >= Q(continue)."""
    return values[..., 1] >= values[..., 0]


class PolicyRule:
    """The stopping rule of a learned policy (see `durr.stopping`); it keeps a frozen copy of it."""

    kind: ClassVar[str] = "policy"

    def __init__(self, policy: PolicyUnit) -> None:
        self.policy = copy.deepcopy(policy).eval().requires_grad_(False)

    def start(self, unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"]) -> Endpoint:
        """A fresh endpoint: it sees the images as the first state of the solve."""
        return PolicyEndpoint(self.policy, unit)

    def to(self, device: torch.device) -> PolicyRule:
        """The rule with its weights on a device; this one stays where it is."""
        moved = PolicyRule(self.policy)
        moved.policy.to(device)
        return moved

    def state(self) -> dict[str, Any]:
        """Sizes and weights for a model file."""
        return {
            "features": self.policy.features,
            "hidden": self.policy.hidden,
            "weights": dict(self.policy.state_dict()),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> PolicyRule:
        """The inverse of `state`."""
        policy = PolicyUnit(state["features"], hidden=state["hidden"], generator=torch.Generator())
        policy.load_state_dict(state["weights"])
        return cls(policy)
