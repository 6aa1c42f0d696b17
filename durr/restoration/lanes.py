"""Lanes: the images that a model sees of one picture, so that a grey model takes colour and a colour model grey."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, Num
from torch import Tensor

from durr.images.depth import to_unit


def count_lanes(picture_channels: int, model_channels: int) -> int:
    """How many images: one, or one per channel where a grey model meets colour."""
    return picture_channels if model_channels == 1 else 1


def to_lanes(samples: Num[np.ndarray, "row col channel"], model_channels: int) -> Float[Tensor, "lane band row col"]:
    """Samples as float32 images with the model's channels; grey for a colour model is repeated."""
    channels = torch.from_numpy(np.ascontiguousarray(to_unit(samples).transpose(2, 0, 1)))
    if model_channels == 1:
        return channels.unsqueeze(1)
    return channels.expand(model_channels, -1, -1).unsqueeze(0)


def from_lanes(
    lanes: Float[Tensor, "lane band row col"], picture_channels: int
) -> Float32[np.ndarray, "row col channel"]:
    """The inverse of `to_lanes`; the channels that a colour model gives for grey are averaged."""
    channels = lanes.flatten(0, 1)
    if len(channels) > picture_channels:
        channels = channels.mean(0, keepdim=True)
    return channels.permute(1, 2, 0).cpu().numpy()
