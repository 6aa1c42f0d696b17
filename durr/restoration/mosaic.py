"""A large picture restored tile by tile, in constant memory, with smaller tiles when that runs out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Num

from backbone.errors import ResourceError
from durr.images.depth import from_unit
from durr.restoration.inference import Inference
from durr.restoration.lanes import count_lanes, from_lanes, to_lanes
from durr.restoration.memory import bytes_per_pixel, is_out_of_memory, tile_budget
from durr.restoration.tiles import SMALLEST_SIDE, Tile, cut, halo, largest_side, rounded_up
from durr.restoration.timing import UNIFORM, Timing

Samples = Num[np.ndarray, "row col channel"]


@dataclass(frozen=True)
class Mosaic:
    """The picture at each position asked for, in the type of its samples; how many tiles it was put together from.

    smaller: how often the tiles were made smaller because the memory had run out.
    """

    pictures: list[Samples]
    tiles: int
    smaller: int


def restore_in_tiles(
    inference: Inference,
    samples: Samples,
    positions: Sequence[float],
    *,
    side: int | None,
    progress: Callable[[float], None],
    timing: Timing = UNIFORM,
) -> Mosaic:
    """Restore a picture to each of the positions on its path.

    side: of the tiles in pixels; None takes what fits into the memory, and less when that runs out.
    progress: is told the share of the picture that is done. timing: of its pixels.
    Raises ResourceError if the memory runs out for tiles of a given side, or for the smallest.
    """
    work = _Work(inference, samples, positions, side, timing, [np.empty_like(samples) for _ in positions])
    pending = deque(work.tiles())
    done = tiles = smaller = 0
    while pending:
        tile = pending.popleft()
        try:
            work.restore(tile)
        except (MemoryError, RuntimeError) as error:
            work.check_divisible(tile, error)
            pending = deque(part for each in (tile, *pending) for part in work.parts(each))
            smaller += 1
        else:
            tiles += 1
            done += tile.n_pixels
            progress(done / (samples.shape[0] * samples.shape[1]))
    return Mosaic(work.outputs, tiles, smaller)


@dataclass(frozen=True)
class _Work:
    """One picture on its way from `samples` to `outputs`."""

    inference: Inference
    samples: Samples
    positions: Sequence[float]
    side: int | None
    timing: Timing
    outputs: list[Samples]

    @property
    def margin(self) -> int:
        """Pixels that a tile sees around it."""
        model = self.inference.model
        return rounded_up(halo(model.unit, max(self.timing.whole_steps(self.positions))), model.align)

    def tiles(self) -> list[Tile]:
        """The whole picture."""
        rows, columns = self.samples.shape[:2]
        return self._cut(range(rows), range(columns), self.side or self._fitting_side())

    def parts(self, tile: Tile) -> list[Tile]:
        """A tile in parts of half its side."""
        rows, columns = (range(span.start, span.stop) for span in (tile.rows, tile.columns))
        return self._cut(rows, columns, -(-tile.side // 2))

    def restore(self, tile: Tile) -> None:
        """Fill the outputs at a tile."""
        lanes = to_lanes(self.samples[tile.outer], self.inference.model.unit.channels)
        images = self.inference.images_after(lanes, self.timing.whole_steps(self.positions))
        for output, place in zip(self.outputs, self.positions, strict=True):
            values = from_lanes(self.timing.image_at(place, images, tile.outer), output.shape[2])
            output[tile.inner] = from_unit(values[tile.within], output.dtype)

    def check_divisible(self, tile: Tile, error: Exception) -> None:
        """Raises ResourceError if a tile may not be made smaller, the error itself if it is not a lack of memory."""
        if not is_out_of_memory(error):
            raise error
        if self.side is not None or tile.side <= SMALLEST_SIDE:
            raise ResourceError(
                f"out of memory on a tile of {tile.side} pixels: {error}",
                where=f"{self.inference.device}",
                cure="close other programs" if self.side is None else "--tile auto",
            ) from error
        if self.inference.device.type == "cuda":
            torch.cuda.empty_cache()

    def _fitting_side(self) -> int:
        rows, columns, channels = self.samples.shape
        model = self.inference.model
        per_pixel = bytes_per_pixel(model.unit) * count_lanes(channels, model.unit.channels)
        n_pixels = tile_budget(self.inference.device) // per_pixel
        return max(rows, columns) if rows * columns <= n_pixels else largest_side(n_pixels, self.margin, model.align)

    def _cut(self, rows: range, columns: range, side: int) -> list[Tile]:
        shape = (self.samples.shape[0], self.samples.shape[1])
        return list(cut(rows, columns, side, self.margin, shape, self.inference.model.align))
