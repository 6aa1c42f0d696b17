"""Training batches: random patches of clean pictures, degraded on the fly.

Batch k is a function of the seed and k alone, so that a training goes on exactly from its step number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import UInt8

from backbone.errors import InputError, UsageError
from durr.degradation.degradation import Batch, Degradation


class DegradedPatches:
    """Batches of degraded patches, batch k drawn with a generator of its own.

    pictures: 8-bit arrays "row col channel". size: of a patch. Raises UsageError for an empty list of pictures,
    InputError for a picture smaller than a patch.
    """

    def __init__(
        self,
        pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]],
        *,
        batch: int,
        size: int,
        degradation: Degradation,
        seed: int,
    ) -> None:
        if not pictures:
            raise UsageError("there are no pictures to train on", where="DATA", cure="give a folder of images")
        for number, picture in enumerate(pictures):
            if min(picture.shape[:2]) < size + degradation.margin:
                raise InputError(
                    f"picture {number} is {picture.shape[0]} x {picture.shape[1]}, a patch {size} x {size}",
                    where="DATA",
                    cure=f"--patch {min(picture.shape[:2]) - degradation.margin}, or leave the picture out",
                )
        self.pictures = pictures
        self.batch = batch
        self.cut = size + degradation.margin
        self.degradation = degradation
        self.seed = seed
        areas = np.array([picture.shape[0] * picture.shape[1] for picture in pictures], dtype=np.float64)
        self._share = areas / areas.sum()  # every pixel is drawn as often

    def after(self, step: int) -> Iterator[Batch]:
        """The batches of steps step + 1, step + 2, ..., without end."""
        while True:
            step += 1
            yield self.batch_of(step)

    def batch_of(self, step: int) -> Batch:
        """The batch of one step."""
        choice = np.random.default_rng((self.seed, step))
        return self.degradation.drawn(np.stack([self._patch(choice) for _ in range(self.batch)]), choice)

    def _patch(self, choice: np.random.Generator) -> UInt8[np.ndarray, "cut cut channel"]:
        """A patch in one of the eight positions of a square."""
        picture = self.pictures[choice.choice(len(self.pictures), p=self._share)]
        row, column = (int(choice.integers(length - self.cut + 1)) for length in picture.shape[:2])
        patch = np.rot90(picture[row : row + self.cut, column : column + self.cut], int(choice.integers(4)))
        return patch[::-1] if choice.integers(2) else patch
