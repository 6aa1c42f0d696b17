"""How the samples of a TIFF page lie in the file, told by its tags (TIFF 6.0 specification, sections 3 to 8 and 15)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from durr.images.source import Source
from durr.images.tiff_directory import is_big

NEW_SUBFILE_TYPE, WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
FILL_ORDER, STRIP_OFFSETS, SAMPLES_PER_PIXEL, ROWS_PER_STRIP, STRIP_COUNTS = 266, 273, 277, 278, 279
PLANAR, PREDICTOR, COLOUR_MAP, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 284, 317, 320, 322, 323, 324, 325
EXTRA_SAMPLES, SAMPLE_FORMAT, JPEG_TABLES, XMP, ICC, DNG_VERSION = 338, 339, 347, 700, 34675, 50706

REDUCED_OR_MASK = 1 | 4  # bits of NewSubfileType: a thumbnail or a mask of another page


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One page. kind: SampleFormat (1 whole numbers, 3 floating). block: columns and rows of a tile or a strip.

    offsets, counts: where the blocks begin and their bytes, row by row, plane after plane if `planar`.
    extra: ExtraSamples, one word for each channel after the colours.
    """

    width: int
    height: int
    channels: int
    bits: int
    kind: int
    photometric: int
    compression: int
    predictor: int
    planar: bool
    extra: tuple[int, ...]
    tiled: bool
    block: tuple[int, int]
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    big_endian: bool


def read_pages(source: Source) -> tuple[list[ImageFileDirectory_v2], int]:
    """The tags of every page of a TIFF or BigTIFF file but thumbnails and masks, and how many those are.

    The first page always counts.
    """
    file = io.BytesIO(source.content)
    every: list[ImageFileDirectory_v2] = []
    seen: set[int] = set()
    header = source.content[: 16 if is_big(source.content) else 8]
    at = ImageFileDirectory_v2(header).next
    while at and at not in seen:
        seen.add(at)
        page = ImageFileDirectory_v2(header)
        file.seek(at)
        page.next = 0
        page.load(file)
        every.append(page)
        at = page.next
    pages = every[:1] + [page for page in every[1:] if not page.get(NEW_SUBFILE_TYPE, 0) & REDUCED_OR_MASK]
    return pages, len(every) - len(pages)


def layout_of(tags: ImageFileDirectory_v2, source: Source) -> Layout:
    """The layout of one page; InputError for channels of unequal depth."""
    width, height = tags[WIDTH], tags[LENGTH]
    source.check_size(width, height)
    bits, kinds = set(_many(tags.get(BITS, 1))), set(_many(tags.get(SAMPLE_FORMAT, 1)))
    if len(bits) > 1 or len(kinds) > 1:
        raise source.error(f"has channels of unequal depth: {sorted(bits)} bits", "save it as 16-bit RGB")
    tiled = TILE_OFFSETS in tags
    block = (tags[TILE_WIDTH], tags[TILE_LENGTH]) if tiled else (width, min(tags.get(ROWS_PER_STRIP, height), height))
    source.check_size(*block)
    offsets = _many(tags[TILE_OFFSETS if tiled else STRIP_OFFSETS])
    counts = tags.get(TILE_COUNTS if tiled else STRIP_COUNTS, len(source.content))
    channels = tags.get(SAMPLES_PER_PIXEL, 1)
    return Layout(
        width=width,
        height=height,
        channels=channels,
        bits=bits.pop(),
        kind=kinds.pop(),
        photometric=tags.get(PHOTOMETRIC, 1),
        compression=tags.get(COMPRESSION, 1),
        predictor=tags.get(PREDICTOR, 1),
        planar=tags.get(PLANAR, 1) == 2 and channels > 1,
        extra=_many(tags.get(EXTRA_SAMPLES, ())),
        tiled=tiled,
        block=block,
        offsets=offsets,
        counts=_many(counts),
        big_endian=tags.prefix == b"MM",
    )


def _many(value: Any) -> tuple[Any, ...]:
    """A tag's values; one alone is given without its tuple."""
    return value if isinstance(value, tuple) else (value,)
