"""Stacks of microscopes: axes, pixel size, channel names and numbers come back, as tifffile sees them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile

from backbone.errors import InputError
from durr.images import encode_stack, read_picture, read_stack
from durr.images.calibration import Calibration, calibration_of

Check = Callable[..., None]
Restore = Callable[..., dict[float, bytes]]


def stack(dtype: str, shape: tuple[int, ...], **options: Any) -> bytes:
    """A stack of tifffile's; floats are counts of photons, far beyond 1, some below 0."""
    generator = np.random.default_rng(4)
    values = generator.normal(300, 200, shape) if "f" in dtype else generator.integers(0, 4096, shape)
    memory = io.BytesIO()
    tifffile.imwrite(memory, values.astype(dtype), **options)
    return memory.getvalue()


IMAGEJ = {
    "axes": "TZCYX",
    "unit": "um",
    "spacing": 0.25,
    "finterval": 1.5,
    "Labels": [f"plane {k}" for k in range(12)],
    "Ranges": (0.0, 4095.0, 10.0, 900.0),
    "LUTs": [np.arange(256, dtype=np.uint8) * np.ones((3, 1), np.uint8)] * 2,
    "Info": "objective: 63x",
}
OME = {
    "axes": "TCYX",
    "PhysicalSizeX": 0.1083,
    "PhysicalSizeXUnit": "µm",
    "PhysicalSizeY": 0.1083,
    "PhysicalSizeYUnit": "µm",
    "TimeIncrement": 0.5,
    "Channel": {"Name": ["DAPI", "α-tubulin & <actin>"]},
    "Plane": {"PositionX": [0.5] * 6, "PositionXUnit": ["µm"] * 6},
}
STACKS: dict[str, Callable[[], bytes]] = {
    "ImageJ": lambda: stack("u2", (2, 3, 2, 9, 11), imagej=True, resolution=(9.2336, 9.2336), metadata=IMAGEJ),
    "ImageJ, as ImageJ writes": lambda: stack("u2", (3, 9, 11), imagej=True, byteorder=">", metadata={"axes": "ZYX"}),
    "ImageJ, float": lambda: stack("f4", (2, 3, 2, 9, 11), imagej=True, metadata=IMAGEJ),
    "ImageJ, RGB": lambda: stack("u1", (4, 9, 11, 3), imagej=True, metadata={"axes": "TYXS"}),
    "OME": lambda: stack("u2", (3, 2, 9, 11), ome=True, photometric="minisblack", metadata=OME),
    "OME, float, LZW": lambda: stack(
        "f4", (3, 2, 9, 11), ome=True, photometric="minisblack", metadata=OME, compression="zlib"
    ),
    "OME, BigTIFF": lambda: stack("u1", (3, 2, 9, 11), ome=True, bigtiff=True, photometric="minisblack", metadata=OME),
    "tifffile's own": lambda: stack("f8", (5, 9, 11), photometric="minisblack", metadata={"axes": "ZYX"}),
}


@pytest.mark.parametrize("name", STACKS)
def test_what_microscopes_write_comes_back(name: str, check_the_rest: Check) -> None:
    check_the_rest(STACKS[name](), stack=True)


def test_what_is_told_of_them() -> None:
    told = {name: calibration_of(read_stack(make())[0].metadata) for name, make in STACKS.items()}
    assert told["ImageJ"] == Calibration(
        by="ImageJ",
        axes="TZCYX",
        lengths={"T": 2, "Z": 3, "C": 2},
        pixel_size={"X": "0.1083 um", "Y": "0.1083 um", "Z": "0.25 um", "T": "1.5 s"},
    )
    assert told["ImageJ, as ImageJ writes"].axes == "ZYX"
    assert (
        told["OME"]
        == told["OME, BigTIFF"]
        == Calibration(
            by="OME-XML",
            axes="TCYX",
            lengths={"T": 3, "C": 2},
            pixel_size={"X": "0.1083 µm", "Y": "0.1083 µm", "T": "0.5 s"},
            channels=("DAPI", "α-tubulin & <actin>"),
        )
    )
    assert told["tifffile's own"] is None


def test_all_pictures_behind_the_only_tags_of_imagej() -> None:
    """Of stacks beyond 4 GiB ImageJ writes the tags of the first picture alone."""
    whole = stack("u2", (5, 9, 11), imagej=True, byteorder=">", metadata={"axes": "TYX"})
    first_tags_only = stack("u2", (5, 9, 11), imagej=True, byteorder=">", metadata={"axes": "TYX"}, truncate=True)
    with tifffile.TiffFile(io.BytesIO(first_tags_only)) as file:
        assert len(file.pages) == 1
    with pytest.raises(InputError, match="holds 5 pages, TYX by its ImageJ") as caught:
        read_picture(first_tags_only)
    assert caught.value.cure == "--axes TYX restores page by page"
    pages = read_stack(first_tags_only)
    for page, same in zip(pages, read_stack(whole), strict=True):
        np.testing.assert_array_equal(page.pixels, same.pixels, strict=True)
    with tifffile.TiffFile(io.BytesIO(encode_stack(pages))) as file:
        assert file.series[0].axes == "TYX"
        np.testing.assert_array_equal(file.series[0].asarray(), tifffile.imread(io.BytesIO(whole)))


@pytest.mark.parametrize(
    "description",
    [
        "ImageJ=1.54f\nimages=²\nslices=" + "9" * 5000 + "\nunit=\\u00B5m\\q\nspacing=\nfinterval=x",
        '<OME><Pixels DimensionOrder="" SizeT="-3" SizeC="٣" PhysicalSizeX="&lt;"><Channel Name="&#x41;"/>',
        "<OME",
        "ImageJ=",
    ],
)
def test_damaged_descriptions_are_read_as_far_as_they_go(description: str) -> None:
    content = stack("u1", (2, 9, 11), photometric="minisblack", description=description.encode(), metadata=None)
    found = calibration_of(read_stack(content)[0].metadata)
    assert found is None or found.lengths == {}
    if found is not None and "unit=" in description:
        assert found.pixel_size["X"].endswith("µm\\q")


def test_smaller_versions_are_told_as_lost() -> None:
    memory = io.BytesIO()
    pixels = np.arange(2 * 32 * 32, dtype=np.uint16).reshape(2, 32, 32)
    with tifffile.TiffWriter(memory, ome=True) as file:
        file.write(pixels, photometric="minisblack", subifds=1, metadata={"axes": "CYX"})
        file.write(pixels[:, ::2, ::2], photometric="minisblack", subfiletype=1)
    pages = read_stack(memory.getvalue())
    assert pages[0].metadata.dropped == ("smaller versions of the picture",)
    with tifffile.TiffFile(io.BytesIO(encode_stack(pages))) as file:
        assert (file.series[0].axes, len(file.series[0].levels)) == ("CYX", 1)
        np.testing.assert_array_equal(file.series[0].asarray(), pixels)


def test_pages_without_tags_of_others_are_refused() -> None:
    content = stack("u2", (5, 9, 11), photometric="minisblack", truncate=True)
    for read in (read_stack, read_picture):
        with pytest.raises(InputError, match="tags for the first of its pages only"):
            read(content)


def test_floats_are_neither_clipped_nor_scaled(restored: Restore) -> None:
    """The unit is homogeneous: a stack in counts is restored to so many times the same stack on another scale."""
    values = np.random.default_rng(4).normal(0.3, 0.4, (2, 24, 24)).astype(np.float32)
    after = []
    for factor in (1, 1024):
        memory = io.BytesIO()
        tifffile.imwrite(memory, values * factor, photometric="minisblack")
        after.append(tifffile.imread(io.BytesIO(restored(memory.getvalue(), stack=True)[1.0])))
    assert after[0].min() < 0
    assert after[0].max() > 1
    np.testing.assert_array_equal(after[1], 1024 * after[0])  # a power of two changes no digit
