"""JPEG compression by the encoder that files are written with: quality, chroma subsampling, a second compression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Tensor

from backbone.errors import UsageError
from durr.degradation.degradation import Batch, as_tensor

Subsampling = Literal["4:4:4", "4:2:0"]

BEST = 100  # the quality at which hardly anything is lost: level 0
BLOCK = 8  # pixels each way that are quantised together
TWICE_SHARE = 0.1  # of the patches were compressed before, on the same blocks or on others
SHIFTED_SHARE = 0.25  # of the patches begin anywhere in a block, as in a picture that was cropped
COARSE_CHROMA_SHARE = 0.7  # of colour patches have chroma at half resolution
FIRST, PER_LEVEL = 1.5, 3.0  # unfoldings: about 4 for quality 10 and 2 for quality 90
ERROR, POWER = 6e-6, 0.85  # mean squared error a good restorer leaves: ERROR table_scale^POWER, 29 dB at 10, 41 at 90
WATCHED = (10, 20, 30, 40)
COMPARED = (10, 20, 30, 40, 60, 80)


@dataclass(frozen=True)
class JpegCompression:
    """Decoded JPEG of a quality in worst ... best, the coarser the more often.

    Grades are qualities, levels (100 - quality) / 100.
    Raises UsageError for qualities that are none, or in the wrong order.
    """

    name: ClassVar[str] = "dejpeg"
    forms: ClassVar[tuple[bool, ...]] = (True,)
    margin: ClassVar[int] = BLOCK
    depth: ClassVar[int] = 3  # blocks are to be seen with their neighbours
    worst: int
    best: int

    def __post_init__(self) -> None:
        if not 1 <= self.worst <= self.best < BEST:
            raise UsageError(
                f"qualities from {self.worst} to {self.best}",
                where="--quality-min, --quality-max",
                cure="--quality-min 5 --quality-max 95",
            )

    @property
    def strongest(self) -> float:
        return self.level(self.worst)

    @property
    def watched(self) -> tuple[int, ...]:
        """Also beyond what is trained: the unit is to carry that far."""
        return WATCHED

    @property
    def compared(self) -> tuple[int, ...]:
        """As far as the training goes."""
        within = tuple(quality for quality in COMPARED if self.worst <= quality <= self.best)
        return within or (self.worst,)

    def level(self, grade: int) -> float:
        return (BEST - grade) / BEST

    def steps(self, level: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        return FIRST + PER_LEVEL * level

    def typical_error(self, level: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
        return ERROR * table_scale(BEST * (1 - level)) ** POWER

    def drawn(self, clean: UInt8[np.ndarray, "batch wide_row wide_col channel"], choice: np.random.Generator) -> Batch:
        qualities = self._qualities(len(clean), choice)
        pairs = [self._drawn(patch, int(quality), choice) for patch, quality in zip(clean, qualities, strict=True)]
        level = torch.from_numpy((BEST - qualities) / BEST).float()
        return Batch(*(as_tensor(np.stack(parts)) for parts in zip(*pairs, strict=True)), level)

    def _qualities(self, n: int, choice: np.random.Generator) -> Int[np.ndarray, " patch"]:
        """The coarser the more often, down to nothing beyond the best: what is hardly damaged teaches little."""
        drawn = choice.triangular(self.worst, self.worst, self.best + 1, n)
        return np.floor(drawn).astype(np.int64)

    def _drawn(
        self, patch: UInt8[np.ndarray, "wide_row wide_col channel"], quality: int, choice: np.random.Generator
    ) -> tuple[UInt8[np.ndarray, "row col channel"], UInt8[np.ndarray, "row col channel"]]:
        """A window of a patch, BLOCK pixels smaller each way, and what one compression or two leave of it.

        What is compressed before it is cut has its blocks where they were: shifted, or not.
        """
        subsampling: Subsampling = "4:2:0" if choice.uniform() < COARSE_CHROMA_SHARE else "4:4:4"
        row, column = choice.integers(0, BLOCK, 2) if choice.uniform() < SHIFTED_SHARE else (0, 0)
        window = (slice(row, row + len(patch) - BLOCK), slice(column, column + patch.shape[1] - BLOCK))
        if choice.uniform() < TWICE_SHARE:
            earlier = compressed(patch, int(self._qualities(1, choice)[0]), subsampling)
            return patch[window], compressed(earlier[window], quality, subsampling)
        if (row, column) == (0, 0):
            return patch[window], compressed(patch[window], quality, subsampling)
        return patch[window], compressed(patch, quality, subsampling)[window]

    def graded(
        self, pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]], grade: int, *, stored: bool
    ) -> Iterator[Batch]:
        level = torch.tensor([self.level(grade)])
        for picture in pictures:
            degraded = compressed(picture, grade, "4:2:0")
            yield Batch(as_tensor(picture[None]), as_tensor(degraded[None]), level)

    def as_dict(self) -> dict[str, Any]:
        return {"qualities": [self.worst, self.best]}


def table_scale(quality: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """How coarsely coefficients are rounded, in per cent of the tables of the standard (annex K), as libjpeg has it."""
    return torch.where(quality < 50, 5000 / quality.clamp_min(1.0), 200 - 2 * quality)


def compressed(
    picture: UInt8[np.ndarray, "row col channel"], quality: int, subsampling: Subsampling
) -> UInt8[np.ndarray, "row col channel"]:
    """What a JPEG file gives back of an 8-bit picture, grey or RGB; subsampling is for the chroma of RGB."""
    file = BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture[..., 0] if picture.shape[2] == 1 else picture))
    image.save(file, "JPEG", quality=quality, subsampling=subsampling)
    decoded = np.asarray(Image.open(file))
    return decoded[..., None] if decoded.ndim == 2 else decoded
