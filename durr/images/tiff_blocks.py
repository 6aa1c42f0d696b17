"""The samples in the strips or tiles of a TIFF page, whatever their depth.

Pillow has no 16-bit or floating colour, but its libtiff decompresses any bytes: a compressed block is put under a
header that calls its samples bytes. Byte order and predictors (TIFF 6.0, section 14; Adobe Photoshop TIFF Technical
Note 3) are undone here.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Num, Shaped, UInt8
from PIL import TiffTags
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from durr.images import tiff_layout as tag
from durr.images.tiff_layout import Layout

UNCOMPRESSED, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA, ZSTD = 1, 5, 8, 32946, 32773, 34925, 50000
READABLE = {UNCOMPRESSED, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA, ZSTD}
HORIZONTAL, FLOATING = 2, 3  # predictors
HEADER = b"II*\0\x08\0\0\0"  # little-endian, the first page behind these 8 bytes


def read_blocks(content: bytes, layout: Layout) -> Shaped[np.ndarray, " row col channel"]:
    """All channels of a page as whole numbers or floating numbers in the machine's byte order."""
    planes, channels = (layout.channels, 1) if layout.planar else (1, layout.channels)
    cols, rows = layout.block
    across, down = -(-layout.width // cols), -(-layout.height // rows)
    if len(layout.offsets) != planes * across * down or len(layout.counts) != len(layout.offsets):
        raise ValueError(f"{len(layout.offsets)} blocks of samples instead of {planes * across * down}")
    page = np.empty((planes, layout.height, layout.width, channels), _sample_type(layout).newbyteorder("="))
    for k, (offset, count) in enumerate(zip(layout.offsets, layout.counts, strict=True)):
        plane, place = divmod(k, across * down)
        row, col = place // across * rows, place % across * cols
        height = rows if layout.tiled else min(rows, layout.height - row)
        block = _read_block(content[offset : offset + count], layout, (height, cols, channels))
        page[plane, row : row + rows, col : col + cols] = block[: layout.height - row, : layout.width - col]
    return page[0] if planes == 1 else np.moveaxis(page[..., 0], 0, -1)


class TiffPage(NamedTuple):
    """The tags of a page but those that tell where its strips or tiles lie, and these."""

    tags: Mapping[int, object]
    blocks: Sequence[bytes]
    tiled: bool = False


def assemble(tags: Mapping[int, object], blocks: list[bytes], *, tiled: bool) -> bytes:
    """A little-endian TIFF file of one page: its tags, then its strips or tiles."""
    return assemble_pages([TiffPage(tags, blocks, tiled)])


def assemble_pages(pages: Sequence[TiffPage]) -> bytes:
    """A little-endian TIFF file: the tags of each page, then its strips or tiles."""
    parts, at = [HEADER], len(HEADER)
    for k, page in enumerate(pages):
        directory = _directory(page, at)
        entries = directory.tobytes(at)
        length = len(entries) + sum(map(len, page.blocks))
        odd = length % 2  # directories begin at even places
        following = 0 if k == len(pages) - 1 else at + length + odd
        link = 2 + 12 * len(directory)  # behind the number of entries and the entries of 12 bytes
        linked = entries[:link] + struct.pack("<L", following) + entries[link + 4 :]
        parts += [linked, *page.blocks, b"\0" * odd]
        at += length + odd
    return b"".join(parts)


def _directory(page: TiffPage, at: int) -> ImageFileDirectory_v2:
    """The directory of a page that stands at a place in the file, its blocks behind it."""
    directory = ImageFileDirectory_v2()
    for name, value in page.tags.items():
        directory[name] = value
    starts = np.cumsum([0, *map(len, page.blocks)])[:-1]
    directory[tag.TILE_COUNTS if page.tiled else tag.STRIP_COUNTS] = tuple(map(len, page.blocks))
    name = tag.TILE_OFFSETS if page.tiled else tag.STRIP_OFFSETS
    directory.tagtype[name] = TiffTags.LONG  # Pillow would take 16 bits where the first offsets it is told fit
    directory[name] = tuple(starts.tolist())
    if page.tiled:  # to the offsets of strips, Pillow adds the end of the directory itself
        directory[name] = tuple((starts + at + len(directory.tobytes(at))).tolist())
    return directory


def _sample_type(layout: Layout) -> np.dtype:
    return np.dtype(f"{'>' if layout.big_endian else '<'}{'f' if layout.kind == 3 else 'u'}{layout.bits // 8}")


def _read_block(packed: bytes, layout: Layout, shape: tuple[int, int, int]) -> Shaped[np.ndarray, " row col channel"]:
    """The samples of one strip or tile of the shape (row, col, channel)."""
    dtype = _sample_type(layout)
    size = int(np.prod(shape)) * dtype.itemsize
    unpacked = _decompress(packed, layout.compression, shape[0], size)
    if len(unpacked) < size:
        raise ValueError(f"{size - len(unpacked)} of {size} bytes of samples are missing")
    samples = np.frombuffer(unpacked, np.uint8, size)
    if layout.predictor == FLOATING:
        return _undo_floating(samples, shape, dtype.itemsize).astype(dtype.newbyteorder("="))
    samples = samples.view(dtype).reshape(shape)
    if layout.predictor == HORIZONTAL:  # differences of the bit patterns, modulo their range
        pattern = np.dtype(f"u{dtype.itemsize}")
        summed = samples.view(pattern.newbyteorder(dtype.byteorder)).cumsum(axis=1, dtype=pattern)
        return summed.view(dtype.newbyteorder("="))
    return samples


def _undo_floating(
    samples: UInt8[np.ndarray, " byte"], shape: tuple[int, int, int], itemsize: int
) -> Num[np.ndarray, " row col channel"]:
    """Floating numbers from their bytes sorted by significance along each row, then taken as differences."""
    rows, cols, channels = shape
    summed = samples.reshape(rows, itemsize * cols, channels).cumsum(axis=1, dtype=np.uint8)
    by_significance = summed.reshape(rows, itemsize, cols * channels)
    return np.moveaxis(by_significance, 1, 2).copy().view(f">f{itemsize}").reshape(shape)


def _decompress(packed: bytes, compression: int, rows: int, size: int) -> bytes:
    """At most `size` bytes of one block of so many rows."""
    if compression == UNCOMPRESSED:
        return packed
    if compression in (DEFLATE, OLD_DEFLATE):
        return zlib.decompressobj().decompress(packed, size)
    tags = {tag.WIDTH: size // rows, tag.LENGTH: rows, tag.BITS: 8, tag.COMPRESSION: compression, tag.PHOTOMETRIC: 1}
    tags |= {tag.SAMPLES_PER_PIXEL: 1, tag.ROWS_PER_STRIP: rows}
    image = TiffImageFile(io.BytesIO(assemble(tags, [packed], tiled=False)))
    return image.tobytes()
