"""The stopping rule of a trained unit: learned on training pictures in every way there is, chosen on held-out ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from durr.degrade import LEVELS, Batch, add_noise, recorded
from durr.model import Denoiser, Level
from durr.policy.learn import N_UPDATES, Learned, learn_rules
from durr.policy.paths import follow
from durr.policy.rules import steps_by_level, steps_taken
from durr.training.patches import NoisyPatches
from durr.training.pictures import Pictures
from durr.training.schedule import longest_unfolding
from durr.unit import RestorationUnit

LONGEST = 12  # steps of a path: far enough beyond every stopping time for strengths up to 2 at moderate noise
PATCH, BATCH, BATCHES = 128, 16, 64  # learned on about 1000 patches, larger than those of the unit
SEED = 1  # added to that of the unit: patches it has not seen in this cut
COMPARED = (15, 25, 35, 45, 55, 65, 75, 85, 95)  # levels of noise, of 255, as far as the training goes
COMPARED_SIDE = 512  # rows and columns of a held-out picture that are looked at
LEVELS_TOLD = 8  # intervals of noise for which the number of steps is kept, for --sigma


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained unit with the rules learned for it."""

    denoiser: Denoiser
    learned: Learned

    @property
    def psnr(self) -> float:
        """Of the held-out pictures under the best rule, dB, over the levels compared."""
        return self.learned.comparison.scores[self.learned.best].mean

    def as_dict(self) -> dict[str, Any]:
        """The comparison as plain values, for a record."""
        return {"chosen": self.learned.best, **self.learned.comparison.as_dict()}


def with_best_rule(
    unit: RestorationUnit, pictures: Pictures, *, n_steps: int, sigma_max: float, precision: torch.dtype, seed: int
) -> Candidate:
    """The unit with the stopping rule that is best on the held-out pictures; sigma_max for images in [0, 1].

    n_steps: updates of the unit; a policy takes no more. It sees no stronger noise than the unit did.
    """
    frozen = unit.eval().requires_grad_(False)
    device = next(unit.parameters()).device
    size = min(PATCH, *(min(picture.shape[:2]) for picture in pictures.training))
    size -= size % unit.align
    patches = NoisyPatches(pictures.training, batch=BATCH, size=size, sigma_max=sigma_max, seed=seed + SEED)
    seen = (patches.batch_of(number).to(device) for number in range(1, min(BATCHES, n_steps) + 1))
    training = follow(frozen, seen, max_steps=LONGEST, precision=precision).to(torch.device("cpu"))
    sigmas = [sigma for sigma in COMPARED if sigma <= sigma_max * LEVELS] or [round(sigma_max * LEVELS)]
    held_out = (batch.to(device) for batch in _held_out(pictures.validating, sigmas))
    validation = follow(frozen, held_out, max_steps=LONGEST, precision=precision).to(torch.device("cpu"))
    most = longest_unfolding(sigma_max)
    learned = learn_rules(training, validation, sigmas=sigmas, most=most, n_updates=min(N_UPDATES, n_steps), seed=seed)
    rule = learned.rules[learned.best]
    denoiser = Denoiser(
        unit=unit,
        rule=rule.to(device),
        max_steps=LONGEST,
        sigmas=(0.0, sigma_max),
        levels=_levels(steps_by_level(training, steps_taken(rule, training), _edges(sigma_max)), most),
    )
    return Candidate(denoiser, learned)


def _held_out(pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]], sigmas: Sequence[int]) -> Iterator[Batch]:
    """Every picture at every level, as computed and as an 8-bit file holds it; always the same noise."""
    for sigma in sigmas:
        level = torch.tensor([sigma / LEVELS])
        generator = torch.Generator().manual_seed(sigma)
        for picture in pictures:
            cut = torch.from_numpy(picture[:COMPARED_SIDE, :COMPARED_SIDE].copy())
            clean = cut.permute(2, 0, 1)[None].float() / LEVELS
            noisy = add_noise(clean, level, generator)
            for stored in (False, True):
                yield Batch(clean, recorded(noisy, torch.tensor([stored])), level)


def _edges(sigma_max: float) -> torch.Tensor:
    return torch.linspace(0.0, sigma_max, LEVELS_TOLD + 1)


def _levels(found: list[Level], most: int) -> tuple[Level, ...]:
    """Beyond the training's noise the steps grow up to the longest unfolding at noise of the whole range."""
    return (*found, (1.0, float(most)))
