"""A contact sheet: before, after and their difference side by side, pixel for pixel from the middle of each picture."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32, Num, UInt8
from PIL import Image, ImageDraw, ImageFont

from durr.batch.run import Done
from durr.images.depth import from_unit, to_unit
from durr.images.picture import Picture
from durr.images.writer import encode_picture

PANEL = 384  # rows and columns shown, at most
MARGIN, CAPTION = 12, 22  # pixels around a panel, and above it
MOST_ROWS = 24
PAPER, INK = (250, 250, 248), (30, 34, 42)
FONT_SIZE = 13
VISIBLE = 0.2  # root mean square of a difference on the sheet, which its magnification does not exceed

Panel = Float32[np.ndarray, "panel_row panel_col colour"]


class Sheet:
    """Rows of panels, one for each output, in the order they are added; after MOST_ROWS they are only counted."""

    def __init__(self) -> None:
        self._rows: list[UInt8[np.ndarray, "sheet_row sheet_col colour"]] = []
        self.left_out = 0

    def add(self, file: Done) -> None:
        """A row for each output of a file, showing its first page."""
        before = _middle(file.before[0].pixels)
        for strength, restored in zip(file.strengths, file.after[0], strict=True):
            if len(self._rows) == MOST_ROWS:
                self.left_out += 1
                continue
            after = _middle(restored.image)
            factor = magnification(after - before)
            panels = {
                f"{file.source.name}   {file.found.words}": before,
                f"strength {strength:g}   {restored.steps:.3g} steps": after,
                f"difference x {factor}": 0.5 + factor * (after - before),
            }
            self._rows.append(_row(panels))

    def __len__(self) -> int:
        return len(self._rows)

    def encode(self) -> bytes:
        """The sheet as a PNG file; rows that are narrower than others are filled with paper."""
        width = max((row.shape[1] for row in self._rows), default=MARGIN)
        filled = [_paper(row.shape[0], width) for row in self._rows]
        for paper, row in zip(filled, self._rows, strict=True):
            paper[:, : row.shape[1]] = row
        return encode_picture(Picture(pixels=np.concatenate([*filled, _paper(MARGIN, width)]), format="PNG"))


def magnification(difference: Panel) -> int:
    """The power of two that makes a difference visible without saturating it: 1 ... 64."""
    strength = float(np.sqrt(np.mean(difference**2)))
    return 2 ** min(max(math.floor(math.log2(VISIBLE / max(strength, 1e-6))), 0), 6)


def _middle(pixels: Num[np.ndarray, " row col *channel"]) -> Panel:
    """The middle of a picture in three channels."""
    (top, left) = (max(length - PANEL, 0) // 2 for length in pixels.shape[:2])
    values = to_unit(pixels[top : top + PANEL, left : left + PANEL])
    return values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)


def _row(panels: dict[str, Panel]) -> UInt8[np.ndarray, "sheet_row sheet_col colour"]:
    """Panels side by side, each under its caption."""
    height, width = next(iter(panels.values())).shape[:2]
    step = max(width, PANEL // 2) + MARGIN  # a caption needs room even over a tiny picture
    row = _paper(MARGIN + CAPTION + height, MARGIN + len(panels) * step)
    for k, panel in enumerate(panels.values()):
        left = MARGIN + k * step
        row[MARGIN + CAPTION :, left : left + width] = from_unit(panel, row.dtype)
    image = Image.fromarray(row)
    draw = ImageDraw.Draw(image)
    for k, caption in enumerate(panels):
        draw.text((MARGIN + k * step, MARGIN), caption, fill=INK, font=ImageFont.load_default(FONT_SIZE))
    return np.array(image)


def _paper(rows: int, columns: int) -> UInt8[np.ndarray, "sheet_row sheet_col colour"]:
    return np.full((rows, columns, 3), PAPER, dtype=np.uint8)
