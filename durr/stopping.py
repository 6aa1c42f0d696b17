"""Stopping rules: who says after how many steps of the restoration unit an image is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Inexact
from torch import Tensor

from backbone.endpoint import Endpoint
from backbone.errors import ModelError, UsageError
from durr.unit import RestorationUnit

RULES = {
    "fixed": "durr.stopping.FixedSteps",
    "first update": "durr.stopping.FirstUpdate",
    "policy": "durr.policy.endpoint.PolicyRule",
}  # kind of a rule in a model file: its class, imported on use


@runtime_checkable
class StoppingRule(Protocol):
    """What a model knows about when to stop; it holds no state of any one solve.

    kind: its name in RULES. A class of RULES also has `from_state(state) -> rule`, the inverse of `state`.
    """

    kind: ClassVar[str]

    def start(self, unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"]) -> Endpoint:
        """A fresh endpoint for one solve of these images: one answer per image, asked at the start and every step."""
        ...

    def to(self, device: torch.device) -> StoppingRule:
        """The rule with its weights on a device."""
        ...

    def state(self) -> dict[str, Any]:
        """Configuration and weights for a model file: dicts, lists, numbers, strings and tensors."""
        ...


@dataclass(frozen=True)
class FixedSteps:
    """The same number of steps for every image, whatever its noise."""

    kind: ClassVar[str] = "fixed"
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise UsageError(f"{self.steps} steps", where="FixedSteps", cure="take 0 steps or more")

    def start(self, unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"]) -> Endpoint:
        return self.ends

    def ends(self, t: float, y: Inexact[Tensor, " batch *state"]) -> Bool[Tensor, " batch"]:
        """Unit steps: the time is the number of steps taken."""
        return torch.full(y.shape[:1], t >= self.steps, device=y.device)

    def to(self, device: torch.device) -> FixedSteps:
        return self

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> FixedSteps:
        return cls(state["steps"])


@dataclass(frozen=True)
class FirstUpdate:
    """steps = intercept + slope * rms(X(1) - X(0)), rounded: what the first step takes away tells the noise.

    most: never more steps than that; beyond the longest unfolding of its training a unit only smooths.
    """

    kind: ClassVar[str] = "first update"
    intercept: float
    slope: float
    most: int

    def start(self, unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"]) -> Endpoint:
        return _FirstUpdateEnd(self, unit)

    def steps(self, update: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        """The real number of steps for root mean squares of first updates; one at least, for the update to be seen."""
        return (self.intercept + self.slope * update).clamp(1.0, float(self.most))

    def to(self, device: torch.device) -> FirstUpdate:
        return self

    def state(self) -> dict[str, Any]:
        return {"intercept": self.intercept, "slope": self.slope, "most": self.most}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> FirstUpdate:
        return cls(state["intercept"], state["slope"], state["most"])


class _FirstUpdateEnd:
    """One solve under the rule: it keeps the images at the start, then the steps of each."""

    def __init__(self, rule: FirstUpdate, unit: RestorationUnit) -> None:
        self.rule = rule
        self.unit = unit
        self.first: Tensor | None = None
        self.steps: Tensor | None = None

    def __call__(self, t: float, y: Inexact[Tensor, " batch *state"]) -> Bool[Tensor, " batch"]:
        if self.first is None:
            self.first = self.unit.image(y)
            return torch.zeros(len(y), dtype=torch.bool, device=y.device)
        if self.steps is None:
            update = root_mean_square(self.unit.image(y) - self.first)
            self.steps = self.rule.steps(update).round()
        return self.steps <= t


def root_mean_square(images: Float[Tensor, "batch channel row col"]) -> Float[Tensor, " batch"]:
    """Of each image of a batch, in float32."""
    return images.float().square().mean(dim=(1, 2, 3)).sqrt()


def rule_from_state(kind: str, state: Mapping[str, Any]) -> StoppingRule:
    """The rule of a model file. Raises ModelError for a kind that this version does not know."""
    if kind not in RULES:
        raise ModelError(
            f"stopping rule '{kind}' is not one of {', '.join(RULES)}", where="model file", cure="update pdenet-durr"
        )
    module, name = RULES[kind].rsplit(".", 1)
    rule: StoppingRule = getattr(import_module(module), name).from_state(state)
    return rule
