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

RULES = {"fixed": "durr.stopping.FixedSteps"}  # kind of a rule in a model file: its class, imported on use


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


def rule_from_state(kind: str, state: Mapping[str, Any]) -> StoppingRule:
    """The rule of a model file. Raises ModelError for a kind that this version does not know."""
    if kind not in RULES:
        raise ModelError(
            f"stopping rule '{kind}' is not one of {', '.join(RULES)}", where="model file", cure="update pdenet-durr"
        )
    module, name = RULES[kind].rsplit(".", 1)
    rule: StoppingRule = getattr(import_module(module), name).from_state(state)
    return rule
