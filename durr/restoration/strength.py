"""Strength: a place on the path of images, from the image as it came to beyond the rule's stopping time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from backbone.errors import UsageError

STRONGEST = 2.0


def check_strength(strength: float) -> None:
    """Raises UsageError outside 0 ... 2."""
    if not 0 <= strength <= STRONGEST:  # false for NaN too
        raise UsageError(
            f"strength {strength:g} is outside 0 ... {STRONGEST:g}",
            where=f"--strength {strength:g}",
            cure="--strength 1",
        )


def check_strengths(strengths: Sequence[float]) -> None:
    """`check_strength` of each."""
    for strength in strengths:
        check_strength(strength)


def check_sigma(sigma: float | None) -> None:
    """Raises UsageError unless noise is None for blind, or a number from 0 on (of 255)."""
    if sigma is not None and not (math.isfinite(sigma) and sigma >= 0):
        raise UsageError(f"noise of {sigma:g}", where=f"--sigma {sigma:g}", cure="--sigma auto, or 0 ... 255")


def check_quality(quality: int | None) -> None:
    """Raises UsageError unless a quality is None for blind, or 1 ... 100."""
    if quality is not None and not 1 <= quality <= 100:
        raise UsageError(f"quality {quality}", where=f"--quality {quality}", cure="--quality auto, or 1 ... 100")


def position(strength: float, steps: float, max_steps: int) -> float:
    """Where on the path: 0 is the image as it came, 1 the rule's choice, more goes on, to the end of the path."""
    return min(strength * steps, float(max_steps))


def neighbours(positions: Sequence[float]) -> set[int]:
    """The whole steps on both sides of every position."""
    return {whole for place in positions for whole in (math.floor(place), math.ceil(place))}


def image_at(
    place: float, images: Mapping[int, Float[Tensor, "batch channel row col"]]
) -> Float[Tensor, "batch channel row col"]:
    """The straight line between the images after floor and ceil of `place` steps."""
    below = math.floor(place)
    share = place - below
    return images[below] if share == 0 else images[below].lerp(images[below + 1], share)
