"""Labelled data of a path, or points by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from backbone.data.pictures import read_pictures
from backbone.data.shuffled import Source
from backbone.samples import Samples
from backbone.synthetic import Labelled, ellipses, peaks, swiss_roll

N_POINTS = 2000
POINTS = ("ellipses", "peaks", "swiss-roll")


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Samples to train on and to test on; inputs: files they came from; note: to be said beside every figure."""

    train: Source
    test: Samples
    sample: tuple[int, ...]
    classes: int
    inputs: tuple[Path, ...] = ()
    note: str = ""


def training_data(word: str, *, n_test: int | None = None) -> TrainingData:
    """Pictures of a folder or file, or 2000 points of ellipses, peaks or swiss-roll, half of them to test on.

    n_test: the first so many test pictures only. Raises InputError.
    """
    if word in POINTS:
        return _points(word)
    pictures = read_pictures(Path(word))
    test = pictures.test.samples(slice(n_test))
    return TrainingData(pictures.train, test, pictures.shape, pictures.classes, (Path(word),), pictures.note)


def _points(word: str) -> TrainingData:
    generator = torch.Generator().manual_seed(0)
    made: Labelled
    if word == "swiss-roll":
        made = swiss_roll(N_POINTS)
    else:
        made = (ellipses if word == "ellipses" else peaks)(N_POINTS, generator=generator)
    samples = Samples(made.points.float(), made.labels)
    return TrainingData(
        samples.rows(slice(0, None, 2)),
        samples.rows(slice(1, None, 2)),
        tuple(samples.inputs.shape[1:]),
        int(made.labels.max()) + 1,
    )
