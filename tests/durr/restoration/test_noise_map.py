"""The map of stopping times: it finds noise that grows over a picture, gains by it, and leaves even noise alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

from backbone.errors import UsageError
from durr.degradation.noise import LEVELS
from durr.images.depth import from_unit
from durr.metrics import psnr
from durr.restoration import noise_map
from durr.restoration.noise_map import StepMap, local_levels, step_map
from durr.restorer import Restorer

WEAKEST, STRONGEST = 5, 60


@pytest.fixture(scope="module")
def shipped() -> Restorer:
    return Restorer.pretrained("denoise", device="cpu", precision="float32")


def picture(name: str) -> np.ndarray:
    """256 x 320 pixels of [0, 1]."""
    return (getattr(data, name)()[100:356, 100:420] / LEVELS).astype(np.float32)


def growing(clean: np.ndarray) -> np.ndarray:
    """Deviation from the left edge to the right one."""
    return np.linspace(WEAKEST, STRONGEST, clean.shape[1], dtype=np.float32)


def noisy(clean: np.ndarray, sigma: np.ndarray | float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(clean.shape, dtype=np.float32)
    along_rows = np.broadcast_to(np.float32(sigma), clean.shape[1]).reshape(-1, *[1] * (clean.ndim - 2))
    return clean + along_rows / LEVELS * noise


@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
@pytest.mark.parametrize("name", ["camera", "brick", "astronaut"])
def test_levels_are_found_where_they_are(name: str, dtype: str) -> None:
    clean = picture(name)
    samples = from_unit(noisy(clean, growing(clean)), np.dtype(dtype)).reshape(*clean.shape[:2], -1)
    found = LEVELS * local_levels(samples).mean(0)  # over the rows
    true = growing(clean).reshape(-1, clean.shape[1] // len(found)).mean(1)
    inner = slice(4, -4)  # beside the edges the neighbourhood lies on one side
    # the smoothest fifth of a neighbourhood of 72 pixels lies on its weaker side, where noise grows by 12
    np.testing.assert_allclose(found[inner], true[inner], rtol=0.2, atol=2.5)


def test_bands_of_a_large_picture_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = noisy(picture("brick"), growing(picture("brick")))[..., None]
    whole = local_levels(samples)
    monkeypatch.setattr(noise_map, "AT_ONCE", 1)  # one row of blocks after the other
    np.testing.assert_array_equal(local_levels(samples), whole)


def gain(clean: np.ndarray, alone: np.ndarray, mapped: np.ndarray) -> float:
    """What a map adds, in dB."""
    return psnr(clean, mapped, data_range=1.0) - psnr(clean, alone, data_range=1.0)


def test_growing_noise_is_restored_better(shipped: Restorer) -> None:
    calm = []
    for name in ("camera", "brick", "astronaut"):
        clean = picture(name)
        alone, mapped = (shipped(noisy(clean, growing(clean)), noise_map=asked) for asked in (False, True))
        assert mapped.chosen == alone.chosen
        assert "noise from " in mapped.notes[-1]
        assert gain(clean, alone.image, mapped.image) > 0.0
        calm.append(gain(clean[:, :80], alone.image[:, :80], mapped.image[:, :80]))
    assert np.mean(calm) > 0.05  # where noise is weak, the whole picture's time smooths too much


@pytest.mark.parametrize("sigma", [10, 25, 50])
@pytest.mark.parametrize("name", ["camera", "brick", "astronaut"])
def test_even_noise_has_no_map(name: str, sigma: float, shipped: Restorer) -> None:
    image = noisy(picture(name), sigma)
    assert step_map(image.reshape(*image.shape[:2], -1), shipped.models[0]) is None
    if sigma == 25:
        alone, mapped = (shipped(image, noise_map=asked) for asked in (False, True))
        np.testing.assert_array_equal(mapped.image, alone.image)
        assert mapped.notes[-1].endswith("no map of it")


def test_tiles_have_no_seams(shipped: Restorer) -> None:
    image = from_unit(noisy(picture("camera"), growing(picture("camera"))), np.dtype(np.uint8))
    whole = shipped(image, 0.8, noise_map=True)
    tiled = replace(shipped, tile=128)(image, 0.8, noise_map=True)
    assert tiled.tiles == 6
    assert np.abs(whole.image.astype(int) - tiled.image.astype(int)).max() <= 1  # the promise for tiles


def test_every_pixel_stands_at_its_own_time() -> None:
    times = StepMap(np.array([[0.5, 1.0, 2.0]]), (4, 6), most=8, levels=(0.0, 1.0))
    whole = times.at((slice(None), slice(None)))
    np.testing.assert_allclose(whole[0], [0.5, 0.625, 0.875, 1.25, 1.75, 2.0])  # middles at columns 0.5, 2.5, 4.5
    np.testing.assert_array_equal(times.at((slice(1, 3), slice(2, 5))), whole[1:3, 2:5])
    assert times.whole_steps([3.0]) == {1, 2, 3, 4, 5, 6}
    assert times.extremes(6.0) == (3.0, 8.0)  # where the path ends
    images = {step: torch.full((1, 1, 4, 6), float(step)) for step in range(9)}
    mixed = times.image_at(3.0, images, (slice(None), slice(None)))
    np.testing.assert_allclose(mixed[0, 0], 3 * whole, rtol=1e-6)  # the image after n steps is n


def test_a_map_changes_nothing_at_strength_0(shipped: Restorer) -> None:
    image = noisy(picture("camera"), growing(picture("camera")))
    np.testing.assert_array_equal(shipped(image, 0.0, noise_map=True).image, image)


def test_small_pictures_have_no_map(shipped: Restorer) -> None:
    for shape in ((1, 1, 1), (31, 500, 1), (7, 5, 3)):
        assert step_map(np.zeros(shape, np.float32), shipped.models[0]) is None
    assert step_map(np.zeros((64, 64, 1), np.uint8), shipped.models[0]) is None
    assert step_map(np.full((64, 64, 1), 255, np.uint8), shipped.models[0]) is None


def test_a_model_of_jpeg_has_no_map_of_noise(shipped: Restorer, tmp_path: Path) -> None:
    replace(shipped.models[0], task="dejpeg").save(tmp_path / "dejpeg.safetensors")
    with pytest.raises(UsageError, match="knows no noise"):
        Restorer.from_file(tmp_path / "dejpeg.safetensors")(np.zeros((9, 9)), noise_map=True)
