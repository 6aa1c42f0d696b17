"""How a picture is compressed and how its repair is judged, the same for every method.

Files are written by Pillow, colour as YCbCr with chroma at half resolution (4:2:0). Luma is measured as papers do: Y of
MATLAB's rgb2ycbcr (ITU-R BT.601 in 16..235), rounded, is itself the grey picture that is compressed and compared with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float64, UInt8

from backbone.errors import UsageError
from durr.benchmark.picture_set import PictureSet
from durr.benchmark.protocol import PEAK, on_file_scale
from durr.degradation.jpeg import compressed
from durr.metrics import psnr, psnr_b, ssim
from durr.model import Task

LUMA = (65.481, 128.553, 24.966)  # of RGB in [0, 1]
BLACK = 16.0


@dataclass(frozen=True)
class JpegProtocol:
    """A `Protocol` of JPEG files; grades are qualities. Repaired pictures are rounded as an 8-bit file holds them."""

    task: ClassVar[Task] = "dejpeg"
    grade: ClassVar[str] = "quality"

    @property
    def name(self) -> str:
        return "jpeg"

    def told(self, grade: float) -> float:
        return grade

    def degraded(
        self, pictures: Sequence[UInt8[np.ndarray, ...]], grade: float
    ) -> Iterator[Float64[np.ndarray, "row col *channel"]]:
        for clean in pictures:
            decoded = compressed(np.atleast_3d(clean), round(grade), "4:2:0")
            yield decoded.reshape(clean.shape).astype(np.float64)

    def finished(self, restored: Float[np.ndarray, "row col *channel"]) -> Float64[np.ndarray, "row col *channel"]:
        return on_file_scale(restored, rounded=True)

    def scores(
        self, restored: Float[np.ndarray, "row col *channel"], clean: UInt8[np.ndarray, "row col *channel"]
    ) -> dict[str, float]:
        """PSNR and PSNR-B in dB, SSIM with the papers' Gaussian windows."""
        judged = self.finished(restored)
        return {
            "psnr": psnr(judged, clean, PEAK),
            "psnr_b": psnr_b(judged, clean, PEAK),
            "ssim_gaussian": ssim(judged, clean, PEAK, window="gaussian"),
        }


def both_kinds(sets: Sequence[PictureSet], colour: bool | None) -> tuple[PictureSet, ...]:
    """Of each set its luma and, where it has any, its colour; or one of both.

    Raises UsageError where colour is asked for and nothing has it.
    """
    luma = [] if colour else [luma_of(one) for one in sets]
    coloured = [one for one in sets if one.colour and colour is not False]
    if not luma and not coloured:
        titles = ", ".join(one.title for one in sets)
        raise UsageError(f"no colour in {titles}", where="--colour", cure="--luma, or colour pictures for --data")
    return (*luma, *coloured)


def luma_of(pictures: PictureSet) -> PictureSet:
    """The set of Y of a set of colour pictures; grey pictures are taken as Y."""
    if not pictures.colour:
        return replace(pictures, kind="luma")
    planes = tuple(
        np.rint(BLACK + picture.astype(np.float64) @ np.array(LUMA) / PEAK).astype(np.uint8)
        for picture in pictures.pictures
    )
    return replace(pictures, kind="luma", colour=False, pictures=planes)
