"""Stopping rules side by side: PSNR of each by noise level and on average, on one set of paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from backbone.errors import UsageError
from durr.policy.paths import STEP_COST, Paths
from durr.policy.rules import best_fixed_step, loss_after, oracle_steps

ORACLE, FIXED = "oracle", "fixed"
LEVEL_TOLERANCE = 1e-5  # levels are kept as float32


@dataclass(frozen=True, kw_only=True)
class Score:
    """One rule: mean PSNR in dB and mean number of steps at every grade, grades in the order of the comparison."""

    psnr: tuple[float, ...]
    steps: tuple[float, ...]

    @property
    def mean(self) -> float:
        """PSNR over all grades."""
        return fmean(self.psnr)

    @property
    def worth(self) -> float:
        """The mean PSNR, the price of the steps taken off."""
        return self.mean - STEP_COST * fmean(self.steps)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Scores by name of the rule. grades: of the degradation. fixed_steps: what "fixed" is, the best on these paths."""

    grades: tuple[int, ...]
    fixed_steps: int
    scores: Mapping[str, Score]

    def gap_to_oracle(self, name: str) -> float:
        """How much better the oracle is, dB over all grades."""
        return self.scores[ORACLE].mean - self.scores[name].mean

    def gain_over_fixed(self, name: str) -> float:
        """How much worse the best fixed number of steps is, dB over all grades."""
        return self.scores[name].mean - self.scores[FIXED].mean

    def best(self, names: Sequence[str]) -> str:
        """The name with the highest worth; the first of equals."""
        return max(names, key=lambda name: self.scores[name].worth)

    def table(self) -> str:
        """Markdown: a row per rule, "PSNR (steps)" per grade."""
        head = ["rule", *(str(grade) for grade in self.grades), "mean"]
        rows = [head, ["---"] * len(head)]
        for name, score in self.scores.items():
            label = f"{name}, {self.fixed_steps} steps" if name == FIXED else name
            cells = [f"{psnr:.2f} ({steps:.1f})" for psnr, steps in zip(score.psnr, score.steps, strict=True)]
            rows.append([label, *cells, f"{score.mean:.3f}"])
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a record."""
        scores = {
            name: {"psnr": list(score.psnr), "steps": list(score.steps), "mean": score.mean}
            for name, score in self.scores.items()
        }
        return {"grades": list(self.grades), "fixed_steps": self.fixed_steps, "scores": scores}


def compare(paths: Paths, steps: Mapping[str, Int[Tensor, " path"]], grades: Mapping[int, float]) -> Comparison:
    """Score the oracle, rules by the steps they take on each path, and the best fixed number; grades with their levels.

    PSNR is minus the loss of the paths, so 50 dB at most. Raises UsageError for a grade without paths.
    """
    levels = [_at_level(paths, grade, level) for grade, level in grades.items()]
    counted = paths.select(torch.stack(levels).any(dim=0))
    fixed = best_fixed_step(counted)
    always = torch.full((len(paths),), fixed, device=paths.loss.device)
    every = {ORACLE: oracle_steps(paths), **steps, FIXED: always}
    scores = {name: _score(paths, taken, levels) for name, taken in every.items()}
    return Comparison(grades=tuple(grades), fixed_steps=fixed, scores=scores)


def _at_level(paths: Paths, grade: int, level: float) -> Bool[Tensor, " path"]:
    here = (paths.level - level).abs() < LEVEL_TOLERANCE
    if not bool(here.any()):
        raise UsageError(f"no path has grade {grade}", where="compare(grades=)", cure="follow pictures of that grade")
    return here


def _score(paths: Paths, steps: Int[Tensor, " path"], levels: Sequence[Bool[Tensor, " path"]]) -> Score:
    psnr = -loss_after(paths, steps)
    return Score(
        psnr=tuple(psnr[here].mean().item() for here in levels),
        steps=tuple(steps[here].double().mean().item() for here in levels),
    )
