"""The stopping rule of a trained unit: learned on training pictures in every way there is, chosen on held-out ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from durr.degradation.degradation import Batch, Degradation
from durr.model import Level, RestorationModel
from durr.policy.learn import N_UPDATES, Learned, learn_rules
from durr.policy.paths import follow
from durr.policy.rules import steps_by_level, steps_taken
from durr.training.patches import DegradedPatches
from durr.training.pictures import Pictures
from durr.training.schedule import longest_unfolding
from durr.unit import RestorationUnit

LONGEST = 12  # steps of a path: far enough beyond every stopping time for strengths up to 2 at moderate noise
PATCH, BATCH, BATCHES = 128, 16, 64  # learned on about 1000 patches, larger than those of the unit
SEED = 1  # added to that of the unit: patches it has not seen in this cut
COMPARED_SIDE = 512  # rows and columns of a held-out picture that are looked at
LEVELS_TOLD = 8  # intervals of levels for which the number of steps is kept, for those who know the level


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained unit with the rules learned for it."""

    model: RestorationModel
    learned: Learned

    @property
    def worth(self) -> float:
        """Of the best rule on the held-out pictures: mean PSNR, less the price of its steps."""
        return self.learned.comparison.scores[self.learned.best].worth

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain values, for a record."""
        return {"chosen": self.learned.best, **self.learned.comparison.as_dict()}


def with_best_rule(
    unit: RestorationUnit,
    pictures: Pictures,
    degradation: Degradation,
    *,
    n_steps: int,
    precision: torch.dtype,
    seed: int,
) -> Candidate:
    """The unit with the stopping rule that is best on the held-out pictures.

    n_steps: updates of the unit; a policy takes no more. It sees no stronger degradation than the unit did.
    """
    frozen = unit.eval().requires_grad_(False)
    device = next(unit.parameters()).device
    size = min(PATCH, *(min(picture.shape[:2]) - degradation.margin for picture in pictures.training))
    size -= size % unit.align
    patches = DegradedPatches(pictures.training, batch=BATCH, size=size, degradation=degradation, seed=seed + SEED)
    seen = (patches.batch_of(number).to(device) for number in range(1, min(BATCHES, n_steps) + 1))
    training = follow(frozen, seen, max_steps=LONGEST, precision=precision).to(torch.device("cpu"))
    held_out = (batch.to(device) for batch in _held_out(pictures.validating, degradation))
    validation = follow(frozen, held_out, max_steps=LONGEST, precision=precision).to(torch.device("cpu"))
    most = longest_unfolding(degradation)
    grades = {grade: degradation.level(grade) for grade in degradation.compared}
    learned = learn_rules(training, validation, grades=grades, most=most, n_updates=min(N_UPDATES, n_steps), seed=seed)
    rule = learned.rules[learned.best]
    edges = torch.linspace(0.0, degradation.strongest, LEVELS_TOLD + 1)
    model = RestorationModel(
        task=degradation.name,
        unit=unit,
        rule=rule.to(device),
        max_steps=LONGEST,
        trained=(0.0, degradation.strongest),
        levels=_levels(steps_by_level(training, steps_taken(rule, training), edges), most),
    )
    return Candidate(model, learned)


def _held_out(pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]], degradation: Degradation) -> Iterator[Batch]:
    """Every picture at every grade in every form."""
    cut = [picture[:COMPARED_SIDE, :COMPARED_SIDE] for picture in pictures]
    for grade, stored in product(degradation.compared, degradation.forms):
        yield from degradation.graded(cut, grade, stored=stored)


def _levels(found: list[Level], most: int) -> tuple[Level, ...]:
    """Beyond the training's levels the steps grow up to the longest unfolding at the end of the range."""
    return (*(known for known in found if known[0] < 1.0), (1.0, float(most)))
