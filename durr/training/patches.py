"""Training batches: random patches of clean pictures, degraded on the fly.

Batch k is a function of the seed and k alone, so that a training goes on exactly from its step number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import UInt8

from backbone.errors import InputError, UsageError
from durr.degrade import LEVELS, Batch, add_noise, recorded

RECORDED_SHARE = 0.25  # of the patches look as an 8-bit file would hold them


class NoisyPatches:
    """Batches of noisy patches, batch k drawn with a generator of its own; sigma uniform on [0, sigma_max].

    pictures: 8-bit arrays "row col channel". size: of a patch. Raises UsageError for an empty list of pictures,
    InputError for a picture smaller than a patch.
    """

    def __init__(
        self,
        pictures: Sequence[UInt8[np.ndarray, "_ _ channel"]],
        *,
        batch: int,
        size: int,
        sigma_max: float,
        seed: int,
    ) -> None:
        if not pictures:
            raise UsageError("there are no pictures to train on", where="DATA", cure="give a folder of images")
        for number, picture in enumerate(pictures):
            if min(picture.shape[:2]) < size:
                raise InputError(
                    f"picture {number} is {picture.shape[0]} x {picture.shape[1]}, a patch {size} x {size}",
                    where="DATA",
                    cure=f"--patch {min(picture.shape[:2])}, or leave the picture out",
                )
        self.pictures = pictures
        self.batch = batch
        self.size = size
        self.sigma_max = sigma_max
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
        clean = np.stack([self._patch(choice) for _ in range(self.batch)])
        tensor = torch.from_numpy(clean).permute(0, 3, 1, 2).float() / LEVELS
        sigma = torch.from_numpy(choice.uniform(0.0, self.sigma_max, self.batch)).float()
        generator = torch.Generator().manual_seed(int(choice.integers(2**62)))
        stored = torch.from_numpy(choice.uniform(size=self.batch) < RECORDED_SHARE)
        return Batch(tensor, recorded(add_noise(tensor, sigma, generator), stored), sigma)

    def _patch(self, choice: np.random.Generator) -> UInt8[np.ndarray, "size size channel"]:
        """A patch in one of the eight positions of a square."""
        picture = self.pictures[choice.choice(len(self.pictures), p=self._share)]
        row, column = (int(choice.integers(length - self.size + 1)) for length in picture.shape[:2])
        patch = np.rot90(picture[row : row + self.size, column : column + self.size], int(choice.integers(4)))
        return patch[::-1] if choice.integers(2) else patch
