"""What a JPEG still says of the picture that it was made from: each wave of a block was within half a step of its own.

A repair is held to that, the quantisation constraint set (Zakhor, IEEE TCSVT 2, 1992), and to a narrower one, since
what a repair puts at the rim of a step was further in (Park and Kim, IEEE TIP 8, 1999).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, Num
from scipy.fft import dctn, idctn

from durr.images.depth import from_unit, to_unit
from durr.jpeg.tables import SIDE
from durr.jpeg.windows import PEAK, Samples, luma

# of a step from what was stored: waves that a repair puts nearer than KEPT are there on average, those that it puts
# further out are nearer, within LIMIT; both chosen on val pictures at quality 10 ... 40
KEPT, LIMIT = 0.2, 0.42
ROUNDED = 1.2  # by which a wave may miss a multiple of its step: four times what rounded pixels make
CLIPPED = 0.25  # of a step, the same where pixels were clipped
STRIPE = 64  # rows of blocks that are looked at together

Blocks = Float32[np.ndarray, "down across 8 8"]


@dataclass(frozen=True, eq=False)
class Constraint:
    """Luma's steps by wave, and the rows and columns before the first whole block, of a picture as it was decoded."""

    steps: Int[np.ndarray, "8 8"]
    grid: tuple[int, int]
    decoded: Samples

    def held(self, restored: Num[np.ndarray, "row col channel"]) -> Num[np.ndarray, "row col channel"]:
        """A repair with the waves of luma that strayed brought back; all channels of a pixel change alike.

        Blocks that are not what a decoder gave are left as they are, and so are those that are not whole.
        """
        held = restored.copy()
        for stripe in self._stripes():
            values = to_unit(restored[stripe])
            change = self._change(_blocks(to_unit(self.decoded[stripe])), _blocks(values))
            if change.any():
                moved = change.swapaxes(1, 2).reshape(*values.shape[:2], 1) / PEAK
                held[stripe] = from_unit(values + moved, restored.dtype)
        return held

    def held_path(
        self, path: Float32[np.ndarray, "saved row col channel"]
    ) -> Float32[np.ndarray, "saved row col channel"]:
        """A path of images, of which the first is the decoded one."""
        return np.stack([path[0], *map(self.held, path[1:])])

    def _stripes(self) -> Iterator[tuple[slice, slice]]:
        """The whole blocks, some rows of them after the other."""
        (top, left), (rows, columns) = self.grid, self.decoded.shape[:2]
        across = slice(left, left + max(columns - left, 0) // SIDE * SIDE)
        last = top + max(rows - top, 0) // SIDE * SIDE
        for start in range(top, last if across.stop > left else top, STRIPE * SIDE):
            yield slice(start, min(start + STRIPE * SIDE, last)), across

    def _change(self, decoded: Blocks, restored: Blocks) -> Blocks:
        """What is added to the luma of the repair."""
        steps = self.steps.astype(np.float32)
        given = _waves(decoded)
        stored = np.rint(given / steps) * steps
        off = _waves(restored) - stored
        change = _nearer(off / steps) * steps - off
        near = np.abs(given - stored) <= np.maximum(CLIPPED * steps, ROUNDED)
        change[~near.all(axis=(2, 3))] = 0.0
        found: Blocks = idctn(change, axes=(2, 3), norm="ortho")
        return found


def _nearer(off: Blocks) -> Blocks:
    """Where waves stand that a repair puts off by so much of a step: as they are up to KEPT, never beyond LIMIT."""
    size = np.abs(off)
    beyond = np.maximum(size - np.float32(KEPT), 0) / (LIMIT - KEPT)
    held: Blocks = np.copysign(np.minimum(size, np.float32(KEPT)) + (LIMIT - KEPT) * np.tanh(beyond), off)
    return held


def _waves(blocks: Blocks) -> Blocks:
    found: Blocks = dctn(blocks, axes=(2, 3), norm="ortho")
    return found


def _blocks(values: Float32[np.ndarray, "row col channel"]) -> Blocks:
    """The blocks of luma on JPEG's scale, around 0."""
    plane = luma(values) * PEAK - 128
    rows, columns = plane.shape
    return plane.reshape(rows // SIDE, SIDE, columns // SIDE, SIDE).swapaxes(1, 2)
