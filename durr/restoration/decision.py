"""The stopping time of a picture, decided once: on the whole of a small one, on crops of a large one, never by tile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor

from durr.restoration.inference import Inference
from durr.restoration.lanes import count_lanes, to_lanes
from durr.restoration.memory import bytes_per_pixel, tile_budget

WHOLE_PIXELS = 2**19  # up to here a picture is decided on, and restored, as a whole
CROP_SIDE = 192
JPEG_SIDE = 8  # crops begin at blocks, so that their grid is seen in all of them
CROPS_EACH_WAY = (2, 4)  # from 4 crops to 16: about a quarter of a small picture, a fortieth of 24 MP


@dataclass(frozen=True, eq=False)
class Decision:
    """How many steps the picture should take; the images seen on the way there by their step, if they were kept."""

    steps: float
    images: dict[int, Float[Tensor, "lane band row col"]]


def is_small(samples: Num[np.ndarray, "row col channel"], model_channels: int) -> bool:
    """Whether a picture is worked on as a whole."""
    rows, columns, channels = samples.shape
    return rows * columns * count_lanes(channels, model_channels) <= WHOLE_PIXELS


def decide(inference: Inference, samples: Num[np.ndarray, "row col channel"]) -> Decision:
    """Ask the rule; where it is asked about several images of one picture, the mean of its answers counts."""
    channels = inference.model.unit.channels
    if not is_small(samples, channels):
        return Decision(_mean_over_crops(inference, spread_crops(samples)), {})
    lanes = to_lanes(samples, channels)
    if len(lanes) > 1 or inference.ensemble:
        return Decision(inference.stopping_times(lanes).double().mean().item(), {})
    path = inference.path(lanes)
    return Decision(path.steps.double().mean().item(), dict(enumerate(path.images)))


def spread_crops(samples: Num[np.ndarray, "row col channel"]) -> list[Num[np.ndarray, "crop_row crop_col channel"]]:
    """Square crops of a large picture, evenly spread from edge to edge: views of equal shape."""
    rows, columns = samples.shape[:2]
    fewest, most = CROPS_EACH_WAY
    count = min(max(math.isqrt(rows * columns) // (2 * CROP_SIDE), fewest), most)
    places = product(_starts(rows, count), _starts(columns, count))
    return [samples[row : row + CROP_SIDE, column : column + CROP_SIDE] for row, column in places]


def _mean_over_crops(inference: Inference, crops: list[Num[np.ndarray, "crop_row crop_col channel"]]) -> float:
    """The mean of the rule's answers: a real number of steps. As many crops at once as the memory holds."""
    unit = inference.model.unit
    lanes = [to_lanes(crop, unit.channels) for crop in crops]
    at_once = tile_budget(inference.device) // (bytes_per_pixel(unit) * lanes[0][:, 0].numel())
    groups = [lanes[first : first + max(at_once, 1)] for first in range(0, len(lanes), max(at_once, 1))]
    return torch.cat([inference.stopping_times(torch.cat(group)) for group in groups]).double().mean().item()


def _starts(length: int, count: int) -> list[int]:
    """First pixels of `count` crops along an axis, each once, at JPEG's blocks; a short axis has one."""
    last = max(length - CROP_SIDE, 0)
    return sorted({round(last * k / (count - 1)) // JPEG_SIDE * JPEG_SIDE for k in range(count)})
