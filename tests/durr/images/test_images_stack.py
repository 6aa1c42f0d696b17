"""TIFF files of several pages, read page by page and written for other programs to read."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image

from backbone.errors import InputError, UsageError
from durr.images import Picture, encode_stack, read_picture, read_stack
from durr.images.picture import Encoding, Metadata

Noise = Callable[..., np.ndarray]


def pages(noise: Noise, dtype: str, *, compressed: bool) -> list[Picture]:
    shapes = ((40, 33), (7, 5), (300, 200))
    return [
        Picture(
            pixels=noise(shape, dtype),
            format="TIFF",
            metadata=Metadata(dpi=(72.0 + k, 72.0)),
            encoding=Encoding(tiff_compression=8 if compressed else 1),
        )
        for k, shape in enumerate(shapes)
    ]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_pages_are_read_by_others_and_by_us(dtype: str, compressed: bool, noise: Noise) -> None:
    written = pages(noise, dtype, compressed=compressed)
    content = encode_stack(written)
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        for page, picture in zip(file.pages, written, strict=True):
            np.testing.assert_array_equal(page.asarray(), picture.pixels)
    with Image.open(io.BytesIO(content)) as image:
        assert image.n_frames == 3
        image.seek(2)
        assert image.size == (200, 300)
        assert image.info["dpi"][0] == pytest.approx(74)  # a rational number
    again = read_stack(content)
    for one, other in zip(again, written, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert one.encoding.tiff_compression == (8 if compressed else 1)
    with pytest.raises(InputError, match="holds 3 pages") as caught:
        read_picture(content)
    assert caught.value.cure == "--axes TYX restores page by page"


def test_stacks_of_others_are_read(noise: Noise) -> None:
    volume = noise((4, 20, 30), "u2")
    file = io.BytesIO()
    tifffile.imwrite(file, volume, imagej=True, metadata={"axes": "ZYX", "spacing": 2.0})
    found = read_stack(file.getvalue())
    np.testing.assert_array_equal(np.stack([page.pixels for page in found]), volume)
    with tifffile.TiffFile(io.BytesIO(encode_stack(found))) as again:
        assert again.is_imagej
        assert again.imagej_metadata["spacing"] == 2.0
        assert again.series[0].axes == "ZYX"
        np.testing.assert_array_equal(again.series[0].asarray(), volume)


def test_offsets_beyond_16_bits() -> None:
    """Two strips, the second at an offset that fits into 16 bits only before the directory is added to it."""
    picture = Picture(pixels=np.zeros((5, 65530), np.uint8), format="TIFF", encoding=Encoding(tiff_compression=1))
    for content in (encode_stack([picture]), encode_stack([picture, picture])):
        assert all((page.pixels == 0).all() for page in read_stack(content))


def test_what_a_stack_may_be(noise: Noise) -> None:
    written = pages(noise, "u1", compressed=True)
    with pytest.raises(UsageError, match="PNG cannot hold 3 pages"):
        encode_stack(written, "png")
    assert encode_stack(written[:1], "png").startswith(b"\x89PNG")
    with pytest.raises(InputError, match="above the limit"):
        read_stack(encode_stack(written), max_pixels=300 * 200)
    png = replace(written[0], format="PNG")
    assert len(read_stack(encode_stack([png]))) == 1
