"""A denoiser: the restoration unit and its stopping rule as one model in one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from backbone.checkpoint import load_state, save_state
from backbone.errors import ModelError, UsageError
from durr.stopping import StoppingRule, rule_from_state
from durr.unit import RestorationUnit

KIND = "denoiser"
Level = tuple[float, float]  # standard deviation of the noise, images in [0, 1]; steps


@dataclass(frozen=True, kw_only=True, eq=False)
class Denoiser:
    """Everything needed to restore an image; sigmas are for images in [0, 1].

    max_steps: the longest path the unit was trained for. sigmas: lowest and highest noise of the training.
    levels: (sigma, steps) as the rule chose them on noise of known strength, sigmas ascending.
    """

    unit: RestorationUnit
    rule: StoppingRule
    max_steps: int
    sigmas: tuple[float, float]
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        known = [sigma for sigma, _ in self.levels]
        if not known or known != sorted(set(known)) or known[0] <= 0:
            raise UsageError(f"levels at {known}", where="Denoiser(levels=)", cure="give positive, ascending sigmas")

    @property
    def parameters(self) -> int:
        """Numbers in the model, the rule's among them."""
        tensors = [*self.unit.parameters(), *_tensors(self.rule.state())]
        return sum(tensor.numel() for tensor in tensors)

    def steps_for(self, sigma: float) -> float:
        """Steps for noise of known strength: straight lines through (0, 0) and the levels, the last one continued."""
        points = [(0.0, 0.0), *self.levels]
        above = next((k for k, (known, _) in enumerate(points) if known >= sigma and k > 0), len(points) - 1)
        (sigma0, steps0), (sigma1, steps1) = points[above - 1], points[above]
        steps = steps0 + (steps1 - steps0) * (sigma - sigma0) / (sigma1 - sigma0)
        return min(max(steps, 0.0), float(self.max_steps))

    def to(self, device: torch.device) -> Denoiser:
        """The model on a device."""
        return replace(self, unit=self.unit.to(device), rule=self.rule.to(device))

    def save(self, path: Path) -> None:
        """Write the model; a file of this name is replaced, whole or not at all."""
        state = {
            "unit": {"configuration": _configuration(self.unit), "weights": dict(self.unit.state_dict())},
            "rule": {"kind": self.rule.kind, "state": self.rule.state()},
            "max_steps": self.max_steps,
            "sigmas": list(self.sigmas),
            "levels": [list(level) for level in self.levels],
        }
        save_state(path, state, kind=KIND)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> Denoiser:
        """Read a model written by `save`. Raises ModelError for a file that is missing, damaged, foreign or unknown."""
        state = load_state(path, kind=KIND)
        try:
            denoiser = _from_state(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"not a denoiser of this version: {error}", where=str(path), cure="update pdenet-durr or train it again"
            ) from error
        return denoiser.to(torch.device(device))


def _configuration(unit: RestorationUnit) -> dict[str, int]:
    return {
        "channels": unit.channels,
        "features": unit.features,
        "inner": unit.down.out_channels,
        "depth": len(unit.blocks),
    }


def _from_state(state: Mapping[str, Any]) -> Denoiser:
    configuration = dict(state["unit"]["configuration"])
    unit = RestorationUnit(configuration.pop("channels"), **configuration, generator=torch.Generator())
    unit.load_state_dict(state["unit"]["weights"])
    low, high = state["sigmas"]
    return Denoiser(
        unit=unit.eval(),
        rule=rule_from_state(state["rule"]["kind"], state["rule"]["state"]),
        max_steps=state["max_steps"],
        sigmas=(low, high),
        levels=tuple((sigma, steps) for sigma, steps in state["levels"]),
    )


def _tensors(tree: Any) -> list[torch.Tensor]:
    """The tensors of a state, wherever they stand."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    entries = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list | tuple) else ()
    return [tensor for entry in entries for tensor in _tensors(entry)]
