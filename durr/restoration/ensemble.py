"""Self-ensemble: what is made of the eight turned and mirrored forms of an image, turned back and averaged.

The errors that a net makes on them differ, and the mean has less of them (Timofte, Rothe, Van Gool, CVPR 2016,
section 3.4; "geometric self-ensemble" in Lim et al., CVPRW 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

Images = dict[int, Float[Tensor, "batch channel row col"]]
QUARTERS = range(4)  # turns by 90 degrees


def self_ensemble(solve: Callable[[Tensor], Images], noisy: Float[Tensor, "batch channel row col"]) -> Images:
    """The mean over the eight forms of the images that solve gives, step by step."""
    symmetries = list(product(QUARTERS, (False, True)))
    mean: Images = {}
    for quarter, mirrored in symmetries:
        for step, image in solve(transformed(noisy, quarter, mirrored)).items():
            share = inverse(image, quarter, mirrored).float() / len(symmetries)
            mean[step] = mean[step].add_(share) if step in mean else share
    return mean


def transformed(
    image: Float[Tensor, "batch channel row col"], quarter: int, mirrored: bool
) -> Float[Tensor, "batch channel row_ col_"]:
    """Turned by quarters of a circle, then mirrored left to right."""
    turned = torch.rot90(image, quarter, (2, 3))
    return turned.flip(3) if mirrored else turned


def inverse(
    image: Float[Tensor, "batch channel row col"], quarter: int, mirrored: bool
) -> Float[Tensor, "batch channel row_ col_"]:
    """What `transformed` came from."""
    return torch.rot90(image.flip(3) if mirrored else image, -quarter, (2, 3))
