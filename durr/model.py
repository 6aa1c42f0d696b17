"""A model of restoration: a unit and its stopping rule, for one task, in one safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from backbone.checkpoint import load_state, save_state, state_kind
from backbone.errors import ModelError, UsageError
from durr.stopping import StoppingRule, rule_from_state
from durr.unit import RestorationUnit

Task = Literal["denoise", "dejpeg"]
KINDS: dict[Task, str] = {"denoise": "denoiser", "dejpeg": "JPEG restorer"}  # of model files, by task
MACROBLOCK = 16  # pixels each way that JPEG codes together where chroma has half the resolution
Level = tuple[float, float]  # of degradation; steps


@dataclass(frozen=True, kw_only=True, eq=False)
class RestorationModel:
    """Everything needed to restore an image.

    task: what it was trained for, which says what a level is: of noise its standard deviation for images in [0, 1], of
    JPEG (100 - quality) / 100. max_steps: the longest path the unit was trained for. trained: lowest and highest level
    of the training. levels: (level, steps) as the rule chose them at known levels, ascending.
    """

    task: Task

    unit: RestorationUnit
    rule: StoppingRule
    max_steps: int
    trained: tuple[float, float]
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        known = [level for level, _ in self.levels]
        if not known or known != sorted(set(known)) or known[0] <= 0:
            raise UsageError(f"levels at {known}", where="levels", cure="give positive, ascending levels")

    @property
    def parameters(self) -> int:
        """Numbers in the model, the rule's among them."""
        tensors = [*self.unit.parameters(), *_tensors(self.rule.state())]
        return sum(tensor.numel() for tensor in tensors)

    @property
    def align(self) -> int:
        """Tiles begin at multiples of this: whole cells of the unit, of JPEG whole blocks of luma and chroma."""
        return max(self.unit.align, MACROBLOCK) if self.task == "dejpeg" else self.unit.align

    def steps_for(self, level: float) -> float:
        """Steps for a known level: straight lines through (0, 0) and the levels, the last one continued."""
        points = [(0.0, 0.0), *self.levels]
        above = next((k for k, (known, _) in enumerate(points) if known >= level and k > 0), len(points) - 1)
        (level0, steps0), (level1, steps1) = points[above - 1], points[above]
        steps = steps0 + (steps1 - steps0) * (level - level0) / (level1 - level0)
        return min(max(steps, 0.0), float(self.max_steps))

    def to(self, device: torch.device) -> RestorationModel:
        """The model on a device."""
        return replace(self, unit=self.unit.to(device), rule=self.rule.to(device))

    def save(self, path: Path) -> None:
        """Write the model; a file of this name is replaced, whole or not at all."""
        state = {
            "unit": {"configuration": _configuration(self.unit), "weights": dict(self.unit.state_dict())},
            "rule": {"kind": self.rule.kind, "state": self.rule.state()},
            "max_steps": self.max_steps,
            "sigmas": list(self.trained),  # the name that this range has in files, whatever the task
            "levels": [list(level) for level in self.levels],
        }
        save_state(path, state, kind=KINDS[self.task])

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu", task: str | None = None) -> RestorationModel:
        """Read a model written by `save`. task: what it must be for; None takes any.

        Raises ModelError for a file that is missing, damaged, foreign, unknown or for another task.
        """
        kind = state_kind(path)
        found = next((task for task, known in KINDS.items() if known == kind), None)
        if found is None or task not in (None, found):
            known = f"a {kind}, a model of pdenet-durr {found}" if found else f"a {kind} state"
            raise ModelError(
                f"this file holds {known}",
                where=str(path),
                cure=f"give a model.safetensors of train {task or ' or train '.join(KINDS)}",
            )
        try:
            model = _from_state(found, load_state(path, kind=kind))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"not a {kind} of this version: {error}", where=str(path), cure="update pdenet-durr or train it again"
            ) from error
        return model.to(torch.device(device))


def _configuration(unit: RestorationUnit) -> dict[str, int | float | str]:
    return {
        "channels": unit.channels,
        "features": unit.features,
        "inner": unit.down.out_channels,
        "depth": len(unit.blocks),
        "scheme": unit.stepping,
        "leak": unit.leak,
    }


def _from_state(task: Task, state: Mapping[str, Any]) -> RestorationModel:
    configuration = {"leak": 0.0, **state["unit"]["configuration"]}  # models from before it was a choice have none
    unit = RestorationUnit(configuration.pop("channels"), **configuration, generator=torch.Generator())
    unit.load_state_dict(state["unit"]["weights"])
    low, high = state["sigmas"]
    return RestorationModel(
        task=task,
        unit=unit.eval(),
        rule=rule_from_state(state["rule"]["kind"], state["rule"]["state"]),
        max_steps=state["max_steps"],
        trained=(low, high),
        levels=tuple((level, steps) for level, steps in state["levels"]),
    )


def _tensors(tree: Any) -> list[torch.Tensor]:
    """The tensors of a state, wherever they stand."""
    if isinstance(tree, torch.Tensor):
        return [tree]
    entries = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list | tuple) else ()
    return [tensor for entry in entries for tensor in _tensors(entry)]
