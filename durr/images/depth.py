"""The samples of picture files as numbers: whole numbers of a depth to floats in [0, 1], and back."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Num


def to_unit(samples: Num[np.ndarray, " *shape"]) -> Float32[np.ndarray, " *shape"]:
    """Samples on the scale where 1 is the largest whole number of their type; floats stay as they are."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)


def from_unit(values: Float[np.ndarray, " *shape"], dtype: np.dtype) -> Num[np.ndarray, " *shape"]:
    """The inverse of `to_unit`: whole numbers are rounded to the nearest and clipped, floats kept as they are."""
    if dtype.kind == "f":
        return values.astype(dtype)
    largest = np.iinfo(dtype).max
    return np.rint(np.clip(values, 0.0, 1.0) * largest).astype(dtype)
