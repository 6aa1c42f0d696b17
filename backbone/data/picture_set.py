"""Labelled pictures in memory, eight bits an entry until they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int, Num, UInt8
from torch import Tensor

from backbone.errors import InputError
from backbone.samples import Samples


@dataclass(frozen=True, eq=False)
class PictureSet:
    """Pixels 0 ... 255 and the class of each picture, from 0."""

    pixels: UInt8[Tensor, "picture channel row col"]
    labels: Int[Tensor, " picture"]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, chosen: Int[Tensor, " row"] | slice) -> PictureSet:
        """Some of the pictures."""
        return PictureSet(self.pixels[chosen], self.labels[chosen])

    def samples(self, chosen: Int[Tensor, " row"] | slice = slice(None)) -> Samples:
        """Some of them as float32 in [0, 1]."""
        return Samples(self.pixels[chosen].float() / 255, self.labels[chosen])


@dataclass(frozen=True, eq=False)
class PictureData:
    """Pictures to train on and to test on; note: what must be said wherever figures on them are shown."""

    train: PictureSet
    test: PictureSet
    note: str = ""

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.train.labels.max()) + 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, rows and columns of a picture."""
        channels, rows, cols = self.train.pixels.shape[1:]
        return channels, rows, cols


def picture_set(
    pixels: UInt8[np.ndarray, "picture channel row col"], labels: Num[np.ndarray, " label"], where: str
) -> PictureSet:
    """Arrays as a set. Raises InputError for numbers that do not agree, or no picture at all."""
    if len(pixels) != len(labels) or len(labels) == 0:
        raise InputError(
            f"{len(pixels)} pictures and {len(labels)} labels", where=where, cure="get the files of one data set again"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise InputError("labels that are no whole numbers from 0", where=where, cure="number the classes from 0")
    return PictureSet(torch.from_numpy(np.array(pixels, order="C")), torch.from_numpy(labels.astype(np.int64)))
