"""What is found out about a picture before its restoration: its noise, or its compression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Num

from durr.images.depth import to_unit
from durr.jpeg.compression import Compression, look_at
from durr.jpeg.constraint import Constraint
from durr.jpeg.tables import SIDE, luma_table
from durr.model import RestorationModel
from durr.restoration.decision import is_small, spread_crops
from durr.restoration.noise import estimate_noise

LEVELS = 255  # of the scale on which people count noise
BEST = 100  # quality
BEYOND = 1.1  # times the strongest of the training, from where on it is said

Samples = Num[np.ndarray, "row col channel"]


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """level: of the degradation as the model counts it; None where its rule is to decide.

    before: rows and columns that the first block lacks. sigma: noise of 0 ... 255, compression: of a JPEG, whichever
    the model is for. constraint: what the JPEG still says of the picture that was compressed. warnings: what speaks
    against the restoration.
    """

    level: float | None = None
    before: tuple[int, int] = (0, 0)
    sigma: float | None = None
    compression: Compression | None = None
    constraint: Constraint | None = None
    warnings: tuple[str, ...] = ()


def diagnose_noise(samples: Samples, model: RestorationModel, sigma: float | None) -> Diagnosis:
    """The noise of a picture. sigma: of 0 ... 255, if it is known."""
    parts = [samples] if is_small(samples, model.unit.channels) else spread_crops(samples)
    noise = estimate_noise([to_unit(part) for part in parts])
    found = LEVELS * noise.sigma if sigma is None else sigma
    strongest = LEVELS * model.trained[1]
    warnings = noise.warnings
    if found > BEYOND * strongest:
        warnings += (f"noise {found:.0f} is stronger than any in training, {strongest:.0f}",)
    return Diagnosis(level=None if sigma is None else sigma / LEVELS, sigma=found, warnings=warnings)


def diagnose_jpeg(
    samples: Samples, model: RestorationModel, quality: int | None, table: Sequence[int] = ()
) -> Diagnosis:
    """The compression of a picture. quality: if it is known. table: luma steps of its file, row by row.

    What is hardly compressed is of level 0, which changes nothing.
    """
    found = look_at(samples, table=table, told=quality)
    told = None if quality is None else (BEST - quality) / BEST
    row, column = found.grid or (0, 0)
    worst = round(BEST * (1 - model.trained[1]))
    warnings = found.notes
    if found.quality is not None and found.quality < worst:
        warnings += (f"quality {found.quality} is lower than any in training, {worst}",)
    return Diagnosis(
        level=0.0 if found.slight else told,
        before=(-row % SIDE, -column % SIDE),
        compression=found,
        constraint=_constraint(samples, found, table),
        warnings=warnings,
    )


def _constraint(samples: Samples, found: Compression, table: Sequence[int]) -> Constraint | None:
    """What the last compression says, if it was the only one that counts."""
    if found.quality is None or found.grid is None or found.saved is not None:
        return None
    steps = np.array(table).reshape(SIDE, SIDE) if table else luma_table(found.quality)
    return Constraint(steps, found.grid, samples)
