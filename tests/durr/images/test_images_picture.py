from __future__ import annotations

import numpy as np
import pytest

from durr.images.picture import Picture


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_every_whole_number_survives_the_scale_of_floats(dtype: str) -> None:
    every = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1)
    picture = Picture(pixels=every)
    values = picture.as_float()
    assert (values.dtype, values.min(), values.max()) == (np.float32, 0.0, 1.0)
    np.testing.assert_array_equal(picture.with_float(values).pixels, every)


def test_whole_numbers_are_rounded_to_the_nearest_and_clipped() -> None:
    picture = Picture(pixels=np.zeros((1, 4), np.uint8))
    back = picture.with_float(np.array([[-0.1, 1.2, 100.4 / 255, 100.6 / 255]], np.float32))
    assert back.pixels.tolist() == [[0, 255, 100, 101]]
    assert back.pixels.dtype == np.uint8


def test_a_dark_16_bit_picture_stays_16_bit() -> None:
    picture = Picture(pixels=np.full((2, 2), 200, np.uint16))
    assert picture.as_float().max() == np.float32(200 / 65535)
    assert picture.depth == "16-bit"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_floating_samples_are_neither_scaled_nor_clipped(dtype: str) -> None:
    pixels = np.array([[-3.0, 0.5, 812.0]], dtype)
    picture = Picture(pixels=pixels)
    assert picture.as_float().tolist() == [[-3.0, 0.5, 812.0]]
    back = picture.with_float(2 * picture.as_float())
    assert back.pixels.dtype == np.dtype(dtype)
    assert back.pixels.tolist() == [[-6.0, 1.0, 1624.0]]
    assert picture.depth == f"{8 * pixels.itemsize}-bit float"


def test_other_pixels_leave_the_rest_as_it_was() -> None:
    alpha = np.arange(4, dtype=np.uint8).reshape(2, 2)
    picture = Picture(pixels=np.zeros((2, 2, 3), np.uint8), alpha=alpha, format="WEBP", notes=("a word",))
    back = picture.with_float(np.ones((2, 2, 3), np.float32))
    assert (back.alpha is alpha, back.format, back.notes) == (True, "WEBP", ("a word",))
    assert back.metadata is picture.metadata
    with pytest.raises(ValueError, match="cannot replace"):
        picture.with_float(np.ones((2, 2), np.float32))
