"""TIFF files: grey or RGB of 8 and 16 bits and floating numbers; the rarer kinds of 8 bits are left to Pillow."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Num, Shaped
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from durr.images import tiff_layout as tag
from durr.images.calibration import DESCRIPTION, calibration_of, pages_of_imagej
from durr.images.metadata import bytes_of
from durr.images.picture import ALPHA, DEFLATE, Encoding, Metadata, Picture
from durr.images.samples import Samples, from_interleaved, from_pillow, interleaved
from durr.images.source import Source
from durr.images.tiff_blocks import (
    HORIZONTAL,
    READABLE,
    UNCOMPRESSED,
    WITH_PREDICTOR,
    TiffPage,
    assemble,
    assemble_pages,
    compress,
    read_blocks,
)
from durr.images.tiff_directory import byte_order, numbers, read_directory
from durr.images.tiff_layout import Layout, layout_of, read_pages
from durr.images.tiff_tags import metadata_of_tags, tags_of

TRUNCATED = re.compile(r'^\{"shape".*"truncated": true')  # tifffile's word
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # PhotometricInterpretation
WHOLE, FLOATING = 1, 3  # SampleFormat
DEPTHS = {(WHOLE, 8), (WHOLE, 16), (FLOATING, 16), (FLOATING, 32), (FLOATING, 64)}
FOR_PILLOW = (
    *(tag.WIDTH, tag.LENGTH, tag.BITS, tag.COMPRESSION, tag.PHOTOMETRIC, tag.FILL_ORDER, tag.SAMPLES_PER_PIXEL),
    *(tag.ROWS_PER_STRIP, tag.PLANAR, 292, 293, tag.PREDICTOR, tag.COLOUR_MAP, tag.TILE_WIDTH, tag.TILE_LENGTH),
    *(332, 334, tag.EXTRA_SAMPLES, tag.SAMPLE_FORMAT, tag.JPEG_TABLES, 529, 530, 531, 532),
)


def read_tiff(source: Source) -> Picture:
    """Grey or RGB, with or without alpha, in the depth of the file; the orientation tag is kept and not applied."""
    pages, _ = read_pages(source)
    count = max(len(pages), _pictures_of_imagej(pages))
    if count > 1:
        known = calibration_of(metadata_of_tags(pages[0], b"", source.content))
        axes = known.axes if known and known.lengths else "TYX"
        said = f", {axes} by its {known.by}" if known and known.lengths else ""
        raise source.error(
            f"holds {count} pages{said}; one picture a file is read", f"--axes {axes} restores page by page"
        )
    return read_stack(source)[0]


def read_stack(source: Source) -> list[Picture]:
    """Every page but thumbnails and masks, as `read_tiff`; their pixels count together.

    Of a large stack ImageJ writes the tags of the first picture only; the others lie behind it.
    """
    pages, reduced = read_pages(source)
    if not pages:
        raise ValueError("it has no page")
    if TRUNCATED.search(str(pages[0].get(DESCRIPTION, ""))):
        raise source.error("has tags for the first of its pages only", "tifffile.imwrite(..., truncate=False)")
    behind = _pictures_of_imagej(pages) - 1
    rows = sum(tags[tag.LENGTH] for tags in pages) + behind * pages[0][tag.LENGTH]
    source.check_size(max(tags[tag.WIDTH] for tags in pages), rows)
    pictures = [_read_page(tags, source) for tags in pages]
    if reduced:
        known = pictures[0].metadata
        gone = replace(known, dropped=(*known.dropped, f"{reduced} thumbnails or masks"))
        pictures[0] = replace(pictures[0], metadata=gone)
    return pictures + [_picture_behind(pages[0], k, pictures[0], source) for k in range(1, behind + 1)]


def _pictures_of_imagej(pages: Sequence[ImageFileDirectory_v2]) -> int:
    """How many pictures share the tags of the only page."""
    if len(pages) != 1 or pages[0].get(tag.COMPRESSION, 1) != UNCOMPRESSED:
        return 1
    return pages_of_imagej(str(pages[0].get(DESCRIPTION, "")))


def _picture_behind(tags: ImageFileDirectory_v2, place: int, first: Picture, source: Source) -> Picture:
    """The picture that lies so many places behind the first one, whose tags say how."""
    layout = layout_of(tags, source)
    step = place * layout.width * layout.height * layout.channels * layout.bits // 8
    moved = replace(layout, offsets=tuple(offset + step for offset in layout.offsets))
    samples = _grey_or_rgb(read_blocks(source.content, moved), moved, source)
    return replace(first, pixels=samples.pixels, alpha=samples.alpha, metadata=Metadata(), notes=())


def _read_page(tags: ImageFileDirectory_v2, source: Source) -> Picture:
    if tag.DNG_VERSION in tags:
        raise source.error("is a raw picture (DNG)", "develop it first: darktable-cli IN.dng OUT.tif")
    layout = layout_of(tags, source)
    plain = layout.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB) and tags.get(tag.FILL_ORDER, 1) == 1
    if plain and layout.compression in READABLE and (layout.kind, layout.bits) in DEPTHS:
        samples = _grey_or_rgb(read_blocks(source.content, layout), layout, source)
        samples = samples._replace(icc=bytes_of(tags.get(tag.ICC)))
    elif layout.kind == WHOLE and layout.bits <= 8:
        samples = _by_pillow(tags, layout, source)
    else:
        raise source.error(f"has {_kind_of_samples(layout)}, which is not read", "save it as 16-bit or float RGB")
    packing = layout.compression if layout.compression in READABLE else DEFLATE
    return Picture(
        pixels=samples.pixels,
        alpha=samples.alpha,
        format="TIFF",
        metadata=metadata_of_tags(tags, samples.icc, source.content),
        encoding=Encoding(tiff_compression=packing, extra=layout.extra[0] if len(layout.extra) == 1 else ALPHA),
        notes=samples.notes,
    )


def write_tiff(picture: Picture) -> bytes:
    """A TIFF file of the picture's depth, compressed as the input was if that was without loss, else deflated."""
    return write_stack([picture])


def write_stack(pictures: Sequence[Picture]) -> bytes:
    """A TIFF file with a page for each picture, as `write_tiff`, in the byte order of the first one's metadata."""
    order = byte_order(pictures[0].metadata.exif)
    return assemble_pages([_page(picture, order) for picture in pictures], order)


def _page(picture: Picture, order: str) -> TiffPage:
    samples = interleaved(picture.pixels, picture.alpha)
    samples = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder(order)))
    height, width, channels = samples.shape
    whole, packing = samples.dtype.kind == "u", picture.encoding.tiff_compression
    values: dict[int, tuple[int, ...]] = {
        tag.WIDTH: (width,),
        tag.LENGTH: (height,),
        tag.BITS: (8 * samples.itemsize,) * channels,
        tag.COMPRESSION: (packing,),
        tag.PHOTOMETRIC: (BLACK_IS_ZERO if channels < 3 else RGB,),
        tag.SAMPLES_PER_PIXEL: (channels,),
        tag.PLANAR: (1,),
        tag.SAMPLE_FORMAT: (WHOLE if whole else FLOATING,) * channels,
    }
    if picture.alpha is not None:
        values[tag.EXTRA_SAMPLES] = (picture.encoding.extra,)
    if whole and packing in WITH_PREDICTOR:
        values[tag.PREDICTOR] = (HORIZONTAL,)
        differences = np.diff(samples, axis=1, prepend=samples.dtype.type(0))
        samples = np.ascontiguousarray(differences.astype(samples.dtype))
    strips, rows = compress(samples, packing)
    values[tag.ROWS_PER_STRIP] = (rows,)
    tags = [numbers(order, name, *value) for name, value in values.items()]
    return TiffPage([*tags_of(picture.metadata, order), *tags], strips)


def _grey_or_rgb(samples: Shaped[np.ndarray, " row col channel"], layout: Layout, source: Source) -> Samples:
    """Colours and alpha of the channels; InputError unless they are grey or RGB with at most one alpha."""
    colours = 3 if layout.photometric == RGB else 1
    if layout.channels not in (colours, colours + 1):
        raise source.error(
            f"has {layout.channels} channels, which are neither grey nor RGB",
            "save it as RGB, or a page for each channel, and --axes CYX",
        )
    if layout.photometric == WHITE_IS_ZERO and layout.kind == WHOLE:
        samples = samples.copy()
        samples[..., 0] = np.iinfo(samples.dtype).max - samples[..., 0]
    return from_interleaved(samples)._replace(
        notes=_notes_on_floats(samples, source) if layout.kind == FLOATING else ()
    )


def _notes_on_floats(samples: Num[np.ndarray, " row col channel"], source: Source) -> tuple[str, ...]:
    """InputError with the first place if a number is not finite; a note if they leave the scale of 0 to 1."""
    bad = ~np.isfinite(samples)
    if bad.any():
        row, col, channel = (int(index[0]) for index in np.nonzero(bad))
        place = f"row {row}, column {col}, channel {channel}"
        raise source.error(
            f"has {bad.sum()} NaN or infinite of {bad.size} numbers, first at {place}",
            "replace them by neighbouring values first, e.g. with numpy.nan_to_num",
        )
    low, high = float(samples.min()), float(samples.max())
    if low >= 0 and high <= 1:
        return ()
    return (f"floating samples from {low:g} to {high:g} are kept as they are; 1 stands for white",)


def _kind_of_samples(layout: Layout) -> str:
    """The kind of samples and compression in words."""
    kinds = {1: "whole numbers", 2: "signed numbers", 3: "floating numbers", 5: "complex numbers", 6: "complex numbers"}
    colours = {WHITE_IS_ZERO: "grey", BLACK_IS_ZERO: "grey", RGB: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab"}
    return (
        f"{colours.get(layout.photometric, 'unknown colours')} as {kinds.get(layout.kind, 'unknown numbers')} of"
        f" {layout.bits} bits, compression {layout.compression}"
    )


def _by_pillow(tags: ImageFileDirectory_v2, layout: Layout, source: Source) -> Samples:
    """What Pillow makes of the page, under a header without the orientation, which Pillow would apply."""
    blocks = [source.content[o : o + n] for o, n in zip(layout.offsets, layout.counts, strict=True)]
    kept = [entry for entry in read_directory(source.content, tags.offset) if entry.name in FOR_PILLOW]
    page = TiffPage(kept, blocks, layout.tiled)
    image = TiffImageFile(io.BytesIO(assemble(page, byte_order(source.content))))
    image.load()
    image.info["icc_profile"] = bytes_of(tags.get(tag.ICC))
    return from_pillow(image, source)
