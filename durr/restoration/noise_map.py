"""Noise whose strength differs from place to place: one smooth map of it, and the stopping times that follow from it.

The model's rule chooses one stopping time for the picture. Where noise is weaker the equation runs shorter, where it is
stronger longer, in the proportion in which the model's own stopping times grow with the noise. The map belongs to the
whole picture, so tiles have no seams, and it is smooth, so the picture between two cells is a straight line between
neighbouring states of the kept path.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Num
from scipy.ndimage import gaussian_filter, map_coordinates, percentile_filter
from torch import Tensor

from durr.images.depth import to_unit
from durr.model import RestorationModel
from durr.restoration.blocks import SMOOTHEST, blocks_of, mixed_difference
from durr.restoration.noise import SATURATED, deviation_before_clipping
from durr.restoration.timing import Part

SMALLEST_BLOCK = 8  # rows and columns
MOST_BLOCKS = 2**14  # of a large picture, whose blocks are larger
AROUND = 9  # blocks each way, of which the smoothest fifth shows the noise alone
SMOOTHNESS = 2.0  # blocks, width of a Gaussian over the map
FEWEST = 4  # blocks each way, for a picture to have a map
OF_ONE_STRENGTH = 1.5  # the strongest over the weakest noise, from where on there is a map: textures feign less
# a power of the proportion: on 22 photographs with noise from 5 to 60 it gained what 1 did, and lost less at worst
GENTLENESS = 0.8
TAILS = (0.02, 0.98)  # quantiles taken for the weakest and the strongest
AT_ONCE = 2**20  # pixels whose noise is estimated at once, about

Samples = Num[np.ndarray, "row col channel"]
Cells = Float64[np.ndarray, "cell_row cell_col"]


@dataclass(frozen=True, eq=False)
class StepMap:
    """A `Timing`: stopping times over that of the picture, for cells that are spread evenly over it.

    shape: of the picture. most: steps at any pixel. levels: the weakest and the strongest noise, for images in [0, 1].
    """

    relative: Cells
    shape: tuple[int, int]
    most: int
    levels: tuple[float, float]

    def at(self, part: Part) -> Float32[np.ndarray, "row col"]:
        """The map at pixels of the picture, straight lines between the middles of cells."""
        spans = zip(part, self.shape, self.relative.shape, strict=True)
        places = [(np.arange(length)[span] + 0.5) * cells / length - 0.5 for span, length, cells in spans]
        grid = np.meshgrid(*places, indexing="ij")
        return map_coordinates(self.relative, grid, order=1, mode="nearest").astype(np.float32)

    def extremes(self, place: float) -> tuple[float, float]:
        """The fewest and the most steps of any pixel where the picture as a whole stands at a place."""
        low, high = (min(place * float(edge), float(self.most)) for edge in (self.relative.min(), self.relative.max()))
        return low, high

    def whole_steps(self, positions: Sequence[float]) -> set[int]:
        spans = [self.extremes(place) for place in positions]
        return {step for low, high in spans for step in range(math.floor(low), math.ceil(high) + 1)}

    def image_at(
        self, place: float, images: Mapping[int, Float[Tensor, "lane band row col"]], part: Part
    ) -> Float[Tensor, "lane band row col"]:
        """Straight lines between the images after whole steps, each pixel at its own time."""
        times = torch.from_numpy(place * self.at(part)).clamp(max=float(self.most))
        mixed = torch.zeros_like(next(iter(images.values())), dtype=torch.float32)
        for step in range(int(times.min().floor()), int(times.max().ceil()) + 1):
            share = (1 - (times - step).abs()).clamp(min=0).to(mixed.device)
            mixed.addcmul_(images[step].float(), share)
        return mixed


def step_map(samples: Samples, model: RestorationModel) -> StepMap | None:
    """The map of a picture, None where its noise is of one strength or it is too small to tell."""
    levels = local_levels(samples)
    if levels is None:
        return None
    weakest, strongest = (float(level) for level in np.quantile(levels, TAILS))
    if strongest < OF_ONE_STRENGTH * weakest or strongest == 0:
        return None
    steps = np.vectorize(model.steps_for, otypes=[np.float64])(levels) ** GENTLENESS
    return StepMap(steps / steps.mean(), (samples.shape[0], samples.shape[1]), model.max_steps, (weakest, strongest))


def local_levels(samples: Samples) -> Cells | None:
    """Standard deviation of the noise around each block, for images in [0, 1]; None for pictures of a few blocks."""
    rows, columns, channels = samples.shape
    side = SMALLEST_BLOCK * max(1, int(np.ceil(np.sqrt(rows * columns / MOST_BLOCKS) / SMALLEST_BLOCK)))
    if min(rows, columns) < FEWEST * side:
        return None
    power = np.zeros((rows // side, columns // side))
    for channel in range(channels):
        deviation = np.concatenate(list(_deviations(samples[..., channel], side)))
        calm = percentile_filter(deviation, 100 * SMOOTHEST, size=AROUND, mode="nearest")
        calm[~np.isfinite(calm)] = np.median(calm[np.isfinite(calm)]) if np.isfinite(calm).any() else 0.0
        power += gaussian_filter(calm, SMOOTHNESS, mode="nearest") ** 2 / channels
    return np.sqrt(power)


def _deviations(samples: Num[np.ndarray, "row col"], side: int) -> Iterator[Float[np.ndarray, "cell_row cell_col"]]:
    """Of the noise in each block, a band of them at a time; infinite where too many samples are clipped."""
    rows, columns = (length // side for length in samples.shape)
    whole = samples.dtype.kind == "u"
    band = max(1, AT_ONCE // (side * samples.shape[1]))  # rows of blocks
    for first in range(0, rows, band):
        last = min(first + band, rows)
        above = min(first * side, 1)  # the difference looks one row further
        part = to_unit(samples[first * side - above : last * side + 1]).astype(np.float64)
        rough = mixed_difference(part)[above : above + (last - first) * side]
        values = blocks_of(part[above : above + (last - first) * side], side)
        deviation = np.sqrt((blocks_of(rough, side) ** 2).mean(1))
        if whole:
            deviation = deviation_before_clipping(values.mean(1), deviation)
            deviation[((values <= 0) | (values >= 1)).mean(1) >= SATURATED] = np.inf
        yield deviation.reshape(last - first, columns)
