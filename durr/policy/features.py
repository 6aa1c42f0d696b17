"""What a policy sees of a state: logarithms of mean absolute activations, relative to the detail of the noisy image.

One number for every feature of the state, the folded image as its mean and its differences, each pooled over the whole
image, whatever its size. Scaling the image adds one constant to all logarithms, and taking that of the noisy image away
leaves nothing of it: a policy on these features stops a X where it stops X, as the unit restores a X to a times what it
makes of X. Noise of 95 on a picture is noise of 55 on a paler one, so levels outside the training are met by scale.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from durr.unit import FOLD, RestorationUnit

BANDS = FOLD**2  # of a channel: its mean over a block of FOLD x FOLD pixels, and three differences
MOST_CELLS = 2**13  # of a state that are looked at, about: looking costs a fifth of a small step, 5 % of a large one


class Looking:
    """Looks at the states of one solve, one after the other, starting with X(0).

    NaN stands for the logarithm of nothing: the memory of X(0), or all of a black image.
    """

    def __init__(self, unit: RestorationUnit) -> None:
        self._n_image = BANDS * unit.channels
        self._detail: Tensor | None = None

    def __call__(self, state: Float[Tensor, "batch row col feature"]) -> Float[Tensor, "batch feature"]:
        state = every_nth_row(state)
        image, memory = activity(bands(state[..., : self._n_image])), activity(state)[:, self._n_image :]
        if self._detail is None:
            self._detail = image.unflatten(1, (-1, BANDS))[..., 1:].mean(dim=(1, 2)).unsqueeze(1)
        return logarithm(torch.cat([image, memory], dim=1)) - logarithm(self._detail)


def every_nth_row(state: Float[Tensor, "batch row col feature"]) -> Float[Tensor, "batch fewer col feature"]:
    """Rows evenly spread over the state, about MOST_CELLS cells of an image at most.

    n is odd: the unit works at half the state's resolution too, and even rows may differ from odd ones.
    """
    n = -(-state.shape[1] * state.shape[2] // MOST_CELLS)
    return state[:, :: n | 1]


def bands(image: Float[Tensor, "batch row col feature"]) -> Float[Tensor, "batch row col feature"]:
    """Haar's transform of the folded image: per channel the mean of a 2 x 2 block, times 2, and its differences.

    White noise has the same deviation in all four; what a photograph has is mostly in the first. Its own inverse.
    """
    a, b, c, d = image.float().unflatten(-1, (-1, BANDS)).unbind(-1)
    top, bottom, left, right = a + b, c + d, a - b, c - d
    parts = (top + bottom, left + right, top - bottom, left - right)
    return torch.stack(parts, dim=-1).flatten(-2) / 2


def activity(features: Float[Tensor, "batch row col feature"]) -> Float[Tensor, "batch feature"]:
    """Mean absolute value over the image, float32."""
    return features.float().abs().mean(dim=(1, 2))


def logarithm(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """log, NaN of zero."""
    return torch.where(values > 0, values.log(), torch.nan)
