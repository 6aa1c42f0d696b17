"""The clean pictures of a measurement: those of a folder in sorted order, or scikit-image's samples."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from backbone.errors import InputError, UsageError
from durr.images import read_picture
from durr.images.channels import as_channels
from durr.images.inputs import every_picture

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")  # photographs in scikit-image's wheel, colour, free to use
SMALLEST = 11  # the side of the papers' window of SSIM
SAMPLES_NAME = "skimage"


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureSet:
    """Clean pictures on the scale 0..255, all grey, "row col", or all colour, "row col 3".

    kind: in words, where it is neither.
    """

    name: str
    colour: bool
    pictures: tuple[UInt8[np.ndarray, ...], ...]  # of different sizes
    kind: str = ""

    @property
    def title(self) -> str:
        """The name with the kind, as it stands in the tables."""
        return f"{self.name} {self.kind or ('colour' if self.colour else 'grey')}"

    @cached_property
    def sha256(self) -> str:
        """Of sizes and pixels, in order."""
        digest = hashlib.sha256()
        for picture in self.pictures:
            digest.update(str(picture.shape).encode() + picture.tobytes())
        return digest.hexdigest()


def choose_sets(
    places: Sequence[Path], *, limit: int | None, colour: bool | None, note: Callable[[str], None]
) -> tuple[PictureSet, ...]:
    """One set for each place, the samples without any. Raises UsageError for two sets of one name."""
    if not places:
        note(f"no --data: measured on scikit-image's sample pictures {', '.join(SAMPLES[:limit])}")
        return (sample_set(limit=limit, colour=colour),)
    sets = tuple(read_set(place, limit=limit, colour=colour) for place in places)
    if len({one.title for one in sets}) < len(sets):
        titles = ", ".join(one.title for one in sets)
        raise UsageError(f"sets of the same name: {titles}", where="--data", cure="rename a folder")
    return sets


def read_set(place: Path, *, limit: int | None, colour: bool | None) -> PictureSet:
    """The pictures of a folder and its sub-folders, in sorted order. Raises InputError for what cannot be read.

    limit: the first so many. colour: None takes them as they are, grey if any of them is grey.
    """
    if not place.exists():
        raise InputError(f"there is no '{place}'", where="--data", cure="name a folder of pictures with --data DIR")
    paths = every_picture([place])
    pictures = [read_picture(path).as_float() for path in paths[:limit]]
    return _as_set(place.resolve().name, pictures, limit=limit, colour=colour)


def sample_set(*, limit: int | None, colour: bool | None) -> PictureSet:
    """Photographs that scikit-image brings, for a measurement without data."""
    from skimage import data

    pictures = [getattr(data, name)() / np.float32(255) for name in SAMPLES[:limit]]
    return _as_set(SAMPLES_NAME, pictures, limit=limit, colour=colour)


def _as_set(name: str, pictures: Sequence[np.ndarray], *, limit: int | None, colour: bool | None) -> PictureSet:
    """Pictures on the scale of [0, 1] as a set; a set cut short says so in its name."""
    coloured = all(picture.ndim == 3 for picture in pictures) if colour is None else colour
    for picture in pictures:
        if min(picture.shape[:2]) < SMALLEST:
            raise InputError(
                f"a picture of '{name}' is {picture.shape[0]} x {picture.shape[1]}, too small for SSIM",
                where="--data",
                cure=f"leave out pictures with a side below {SMALLEST}",
            )
    whole = tuple(as_channels(picture, 3 if coloured else 1) for picture in pictures)
    return PictureSet(
        name=name if limit is None else f"{name}[:{limit}]",
        colour=coloured,
        pictures=whole if coloured else tuple(picture[..., 0] for picture in whole),
    )
