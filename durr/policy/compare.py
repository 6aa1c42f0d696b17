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
from durr.degrade import LEVELS
from durr.policy.paths import Paths
from durr.policy.rules import best_fixed_step, loss_after, oracle_steps

ORACLE, FIXED = "oracle", "fixed"
SIGMA_TOLERANCE = 0.01  # of 255: sigmas are given as whole numbers and kept as float32


@dataclass(frozen=True, kw_only=True)
class Score:
    """One rule: mean PSNR in dB and mean number of steps at every level, levels in the order of the comparison."""

    psnr: tuple[float, ...]
    steps: tuple[float, ...]

    @property
    def mean(self) -> float:
        """PSNR over all levels."""
        return fmean(self.psnr)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Scores by name of the rule. sigmas: the levels, of 255. fixed_steps: what "fixed" is, the best on these paths."""

    sigmas: tuple[int, ...]
    fixed_steps: int
    scores: Mapping[str, Score]

    def gap_to_oracle(self, name: str) -> float:
        """How much better the oracle is, dB over all levels."""
        return self.scores[ORACLE].mean - self.scores[name].mean

    def gain_over_fixed(self, name: str) -> float:
        """How much worse the best fixed number of steps is, dB over all levels."""
        return self.scores[name].mean - self.scores[FIXED].mean

    def best(self, names: Sequence[str]) -> str:
        """The name with the highest mean PSNR; the first of equals."""
        return max(names, key=lambda name: self.scores[name].mean)

    def table(self) -> str:
        """Markdown: a row per rule, "PSNR (steps)" per level."""
        head = ["rule", *(str(sigma) for sigma in self.sigmas), "mean"]
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
        return {"sigmas": list(self.sigmas), "fixed_steps": self.fixed_steps, "scores": scores}


def compare(paths: Paths, steps: Mapping[str, Int[Tensor, " path"]], sigmas: Sequence[int]) -> Comparison:
    """Score the oracle, rules by the steps they take on each path, and the best fixed number, at levels of 255.

    PSNR is minus the loss of the paths, so 50 dB at most. Raises UsageError for a level without paths.
    """
    levels = [_at_level(paths, sigma) for sigma in sigmas]
    counted = paths.select(torch.stack(levels).any(dim=0))
    fixed = best_fixed_step(counted)
    always = torch.full((len(paths),), fixed, device=paths.loss.device)
    every = {ORACLE: oracle_steps(paths), **steps, FIXED: always}
    scores = {name: _score(paths, taken, levels) for name, taken in every.items()}
    return Comparison(sigmas=tuple(sigmas), fixed_steps=fixed, scores=scores)


def _at_level(paths: Paths, sigma: int) -> Bool[Tensor, " path"]:
    here = (paths.sigma * LEVELS - sigma).abs() < SIGMA_TOLERANCE
    if not bool(here.any()):
        raise UsageError(f"no path has sigma {sigma}", where="compare(sigmas=)", cure="follow pictures of that level")
    return here


def _score(paths: Paths, steps: Int[Tensor, " path"], levels: Sequence[Bool[Tensor, " path"]]) -> Score:
    psnr = -loss_after(paths, steps)
    return Score(
        psnr=tuple(psnr[here].mean().item() for here in levels),
        steps=tuple(steps[here].double().mean().item() for here in levels),
    )
