"""The samples in the strips or tiles of a TIFF page, whatever their depth.

Pillow has no 16-bit or floating colour, but its libtiff decompresses any bytes: a compressed block is put under a
header that calls its samples bytes. Byte order and predictors (TIFF 6.0, section 14; Adobe Photoshop TIFF Technical
Note 3) are undone here.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Num, Shaped, UInt8
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from durr.images import tiff_layout as tag
from durr.images.picture import DEFLATE
from durr.images.tiff_directory import Directory, directory_bytes, header, numbers, offsets
from durr.images.tiff_layout import Layout

UNCOMPRESSED, LZW, OLD_DEFLATE, PACKBITS, LZMA, ZSTD = 1, 5, 32946, 32773, 34925, 50000
READABLE = {UNCOMPRESSED, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA, ZSTD}
BY_LIBTIFF = {LZW: "tiff_lzw", PACKBITS: "packbits", LZMA: "lzma", ZSTD: "zstd"}  # in Pillow's words
HORIZONTAL, FLOATING = 2, 3  # predictors
WITH_PREDICTOR = {LZW, DEFLATE, OLD_DEFLATE, ZSTD}  # as libtiff has it
STRIP_BYTES = 1 << 18


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

    tags: Directory
    blocks: Sequence[bytes]
    tiled: bool = False


def assemble(page: TiffPage, order: str) -> bytes:
    """A TIFF file of one page whose numbers have this order of bytes."""
    return assemble_pages([page], order)


def assemble_pages(pages: Sequence[TiffPage], order: str) -> bytes:
    """A TIFF file: the tags of each page, then its strips or tiles. Raises struct.error beyond 4 GiB."""
    parts = [header(order)]
    at = len(parts[0])
    for k, page in enumerate(pages):
        length = len(_directory(page, at, order, 0)) + sum(map(len, page.blocks))
        odd = length % 2  # directories begin at even places
        following = 0 if k == len(pages) - 1 else at + length + odd
        parts += [_directory(page, at, order, following), *page.blocks, b"\0" * odd]
        at += length + odd
    return b"".join(parts)


def _directory(page: TiffPage, at: int, order: str, following: int) -> bytes:
    """The directory of a page that stands at a place in the file, its blocks behind it."""
    lengths = [len(block) for block in page.blocks]
    places, counts = (tag.TILE_OFFSETS, tag.TILE_COUNTS) if page.tiled else (tag.STRIP_OFFSETS, tag.STRIP_COUNTS)
    tags = [*page.tags, offsets(order, counts, *lengths)]
    behind = at + len(directory_bytes([*tags, offsets(order, places, *lengths)], at, order))
    starts = np.cumsum([behind, *lengths])[:-1]
    return directory_bytes([*tags, offsets(order, places, *starts.tolist())], at, order, following=following)


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
    image = TiffImageFile(io.BytesIO(assemble(TiffPage(_as_bytes(size // rows, rows, compression), [packed]), "<")))
    return image.tobytes()


def compress(samples: Shaped[np.ndarray, " row col channel"], compression: int) -> tuple[list[bytes], int]:
    """The strips of samples, and the rows of each.

    LZW, PackBits, Zstandard and LZMA are libtiff's, which packs the bytes of a row as samples of a grey picture.
    """
    height = len(samples)
    if compression in BY_LIBTIFF:
        rows = samples.reshape(height, -1).view(np.uint8)
        memory = io.BytesIO()
        Image.fromarray(rows).save(memory, format="TIFF", compression=BY_LIBTIFF[compression])
        memory.seek(0)
        tags = TiffImageFile(memory).tag_v2
        content, starts, counts = memory.getvalue(), tags[tag.STRIP_OFFSETS], tags[tag.STRIP_COUNTS]
        return [content[at : at + n] for at, n in zip(starts, counts, strict=True)], tags[tag.ROWS_PER_STRIP]
    rows_each = min(max(1, STRIP_BYTES // samples[0].nbytes), height)
    strips = [samples[k : k + rows_each].tobytes() for k in range(0, height, rows_each)]
    return strips if compression == UNCOMPRESSED else [zlib.compress(strip) for strip in strips], rows_each


def _as_bytes(width: int, rows: int, compression: int) -> Directory:
    """The tags of a strip whose bytes are taken for the samples of a grey picture."""
    values = {tag.WIDTH: width, tag.LENGTH: rows, tag.BITS: 8, tag.COMPRESSION: compression, tag.PHOTOMETRIC: 1}
    values |= {tag.SAMPLES_PER_PIXEL: 1, tag.ROWS_PER_STRIP: rows}
    return [numbers("<", name, value) for name, value in values.items()]
