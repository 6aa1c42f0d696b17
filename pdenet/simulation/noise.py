"""Measurement noise, by one of two definitions of its size."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from jaxtyping import Float64

from backbone.errors import UsageError

NoiseDefinition = Literal["sample", "set"]


def noise_definition(word: str) -> NoiseDefinition:
    """The definition of that name, UsageError for any other."""
    for definition in get_args(NoiseDefinition):
        if word == definition:
            return definition
    raise UsageError(f"unknown noise definition '{word}'", where="--noise-def", cure="--noise-def sample")


def noise_scale(
    values: Float64[np.ndarray, "run time channel *space"], definition: NoiseDefinition
) -> Float64[np.ndarray, "run channel"]:
    """Standard deviation that noise is measured by. `sample`: of each run's and channel's own first clean snapshot
    (PDE-Net's definition); `set`: of each channel over all runs, times and points."""
    space = tuple(range(3, values.ndim))
    if definition == "sample":
        return values[:, 0].std(axis=tuple(axis - 1 for axis in space))
    return np.broadcast_to(values.std(axis=(0, 1, *space)), (values.shape[0], values.shape[2]))


def add_noise(
    values: Float64[np.ndarray, "run time channel *space"],
    level: float,
    definition: NoiseDefinition,
    generator: np.random.Generator,
) -> Float64[np.ndarray, "run time channel *space"]:
    """values + level * scale * N(0, 1), independent at every point of every snapshot."""
    if level == 0:
        return values
    scale = noise_scale(values, definition)[:, None, :].reshape(
        (values.shape[0], 1, values.shape[2], *(1,) * (values.ndim - 3))
    )
    return values + level * scale * generator.standard_normal(values.shape)
