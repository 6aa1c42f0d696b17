"""Arrays from outside: which ones are images, where their alpha channel is, and how they go back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Num

from backbone.errors import InputError, UsageError

WHERE = "image"


@dataclass(frozen=True, eq=False)
class Split:
    """An image as samples with a channel axis (1 or 3), a view, and its alpha channel."""

    image: Num[np.ndarray, " row col *channel"]
    samples: Num[np.ndarray, "row col channel"]
    alpha: Num[np.ndarray, "row col one"] | None

    def joined(self, samples: Num[np.ndarray, "row col channel"]) -> Num[np.ndarray, " row col *channel"]:
        """Other samples in the shape of the image, with its alpha channel."""
        if self.alpha is not None:
            return np.concatenate([samples, self.alpha], axis=2, dtype=self.image.dtype)
        return samples.reshape(self.image.shape)


def split(image: object) -> Split:
    """Take an image apart.

    Raises UsageError for what is no image of H x W, H x W x 3 or H x W x 4 samples of uint8, uint16 or floats;
    InputError for colours that are not finite.
    """
    if not isinstance(image, np.ndarray):
        raise UsageError(f"a {type(image).__name__} is no array", where=WHERE, cure="numpy.asarray(image)")
    if image.dtype.kind != "f" and not (image.dtype.kind == "u" and image.dtype.itemsize <= 2):
        raise UsageError(
            f"samples of type {image.dtype}", where=WHERE, cure="give uint8, uint16, or floats where 1 is white"
        )
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,), (4,)) or image.size == 0:
        raise UsageError(f"an array of shape {image.shape}", where=WHERE, cure="give H x W, H x W x 3 or H x W x 4")
    whole = image if image.ndim == 3 else image[..., None]
    samples, alpha = whole[..., :3], whole[..., 3:] if whole.shape[2] == 4 else None
    if samples.dtype.kind == "f":
        _check_finite(samples)
    return Split(image, samples, alpha)


def _check_finite(samples: Num[np.ndarray, "row col channel"]) -> None:
    finite = np.isfinite(samples)
    if not finite.all():
        row, column, _ = (int(place[0]) for place in np.nonzero(~finite))
        raise InputError(
            f"{finite.size - np.count_nonzero(finite)} samples are not finite, the first in row {row}, column {column}",
            where=WHERE,
            cure="fill them: numpy.nan_to_num(image)",
        )
