"""The stopping time of a picture, decided once: on the whole of a small one, on crops of a large one, never by tile."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import torch
from jaxtyping import Num

from durr.inference import Inference
from durr.lanes import to_lanes

WHOLE_PIXELS = 2**19  # up to here a picture is decided on, and restored, as a whole
CROP_SIDE = 192
CROPS_EACH_WAY = (2, 4)  # from 4 crops to 16: about a quarter of a small picture, a fortieth of 24 MP


def is_small(rows: int, columns: int) -> bool:
    """Whether a picture is worked on as a whole."""
    return rows * columns <= WHOLE_PIXELS


def spread_crops(samples: Num[np.ndarray, "row col channel"]) -> list[Num[np.ndarray, "crop_row crop_col channel"]]:
    """Square crops of a large picture, evenly spread from edge to edge: views of equal shape."""
    rows, columns = samples.shape[:2]
    fewest, most = CROPS_EACH_WAY
    count = min(max(math.isqrt(rows * columns) // (2 * CROP_SIDE), fewest), most)
    places = product(_starts(rows, count), _starts(columns, count))
    return [samples[row : row + CROP_SIDE, column : column + CROP_SIDE] for row, column in places]


def decide_on_crops(inference: Inference, crops: list[Num[np.ndarray, "crop_row crop_col channel"]]) -> float:
    """The mean of the rule's answers for the crops: a real number of steps."""
    channels = inference.denoiser.unit.channels
    return inference.stopping_times(torch.cat([to_lanes(crop, channels) for crop in crops])).mean().item()


def _starts(length: int, count: int) -> list[int]:
    """First pixels of `count` crops along an axis, each once; a short axis has one."""
    last = max(length - CROP_SIDE, 0)
    return sorted({round(last * k / (count - 1)) for k in range(count)})
