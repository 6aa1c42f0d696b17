"""A picture as it stands in its file: the samples, the alpha channel, what the file says about itself, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Num

from durr.images.depth import from_unit, to_unit

DEFLATE = 8  # as TIFF numbers compressions
UNKNOWN, PREMULTIPLIED, ALPHA = 0, 1, 2  # as TIFF numbers the meanings of a channel behind the colours
Format = Literal["PNG", "JPEG", "TIFF", "WEBP", "BMP"]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What a file says about its picture; it goes back into the output and is never acted upon.

    exif: the TIFF structure of EXIF without a container's prefix; its orientation is not applied. icc: colour profile.
    dpi: pixels per inch along a row and a column. density: the same, or the shape of a pixel, in the words of the
    container, PNG's pHYs chunk or JPEG's JFIF segment, for an output of the same format. xmp: the packet. blocks: what
    else the container carries, PNG chunks or JPEG segments as (name, content), for an output of the same format.
    dropped: what is in the file and cannot be kept, in words.
    """

    exif: bytes = b""
    icc: bytes = b""
    dpi: tuple[float, float] | None = None
    density: bytes = b""
    xmp: bytes = b""
    blocks: tuple[tuple[bytes, bytes], ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How the file was compressed, so that the output can be compressed alike.

    lossless: no sample was changed. tables, sampling: JPEG's quantisation tables and chroma subsampling (as Pillow
    counts it). tiff_compression: TIFF's number of a compression without loss. extra: TIFF's word for the
    channel behind the colours: alpha, alpha that the colours are multiplied by, or nothing known of it.
    """

    lossless: bool = True
    tables: tuple[tuple[int, ...], ...] = ()
    sampling: int = -1
    tiff_compression: int = DEFLATE
    extra: int = ALPHA


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Samples of one picture, (row, col) or (row, col, 3), uint8, uint16 or floating, with all that its file keeps.

    alpha: (row, col) in the type of the pixels, or None. notes: what the reader changed or found odd, for the user.
    """

    pixels: Num[np.ndarray, " row col *channel"]
    alpha: Num[np.ndarray, " row col"] | None = None
    format: Format = "PNG"
    metadata: Metadata = field(default_factory=Metadata)
    encoding: Encoding = field(default_factory=Encoding)
    notes: tuple[str, ...] = ()

    @property
    def depth(self) -> str:
        """The type of the samples in words: "8-bit", "16-bit", "32-bit float"."""
        bits = 8 * self.pixels.dtype.itemsize
        return f"{bits}-bit" if self.pixels.dtype.kind == "u" else f"{bits}-bit float"

    def as_float(self) -> Float32[np.ndarray, " row col *channel"]:
        """The pixels on the scale where 1 is the largest whole number of the depth; float samples as they are."""
        return to_unit(self.pixels)

    def with_float(self, values: Float[np.ndarray, " row col *channel"]) -> Picture:
        """The same picture with other pixels, on the scale of `as_float` and in the depth of this picture.

        Whole numbers are rounded to the nearest and clipped, float samples are kept as they are.
        """
        if values.shape != self.pixels.shape:
            raise ValueError(f"pixels of shape {values.shape} cannot replace {self.pixels.shape}")
        return replace(self, pixels=from_unit(values, self.pixels.dtype))
