"""The restorer with a model of dejpeg: the denoiser's contract, blocks where they are, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from backbone.errors import ModelError, UsageError
from durr import restorer
from durr.model import RestorationModel
from durr.restorer import Restorer

MakeModel = Callable[..., RestorationModel]
NoisyArray = Callable[[tuple[int, ...], str], np.ndarray]


@pytest.fixture
def model(jpeg_model: Path) -> Restorer:
    return Restorer.from_file(jpeg_model, device="cpu", precision="float32")


def decoded(quality: int) -> tuple[np.ndarray, list[int]]:
    """A grey photograph that was never compressed before, from a JPEG file; the steps of its table."""
    clean = Image.fromarray(skimage.data.camera()).resize((171, 128), Image.Resampling.LANCZOS)
    file = BytesIO()
    clean.save(file, "JPEG", quality=quality)
    picture = Image.open(file)
    return np.asarray(picture), list(picture.quantization[0])


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (16, 33), (9, 12, 3), (13, 6, 4)], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_type_and_shape_come_back_and_strength_0_keeps_every_bit(
    dtype: str, shape: tuple[int, ...], model: Restorer, noisy_array: NoisyArray
) -> None:
    image = noisy_array(shape, dtype)
    none, one = model.sweep(image, (0.0, 1.0), quality=10)
    assert none.image.tobytes() == image.tobytes()
    assert (one.image.shape, one.image.dtype) == (shape, image.dtype)
    assert not np.array_equal(one.image[..., :3], image[..., :3])
    if shape[2:] == (4,):
        np.testing.assert_array_equal(one.image[..., 3], image[..., 3])


def test_quality_is_seen_and_the_rule_decides(model: Restorer) -> None:
    image, table = decoded(20)
    restored = model(image)
    assert (restored.steps, restored.sigma) == (3.0, None)
    assert str(restored.compression) == "quality 20 by its pixels  grid 0,0"
    told = model(image, table=table)
    assert str(told.compression) == "quality 20 by its tables  grid 0,0"
    np.testing.assert_array_equal(told.image, restored.image)


def test_a_known_quality_takes_the_steps_of_its_level(model: Restorer) -> None:
    image, _ = decoded(20)
    level = 0.9  # of quality 10
    assert model(image, quality=10).steps == pytest.approx(model.models[0].steps_for(level))
    assert "quality 10 is lower than any in training, 71" in model(image, quality=10).notes  # 1 - 75 / 255


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 5), (7, 0)])
def test_the_picture_is_continued_to_whole_blocks(row: int, column: int, model: Restorer) -> None:
    image = decoded(20)[0][row:, column:]
    above, left = row, column  # as much as was cut away
    whole = model(np.pad(image, [(above, 0), (left, 0)], mode="symmetric"))
    restored = model(image)
    assert restored.compression is not None
    assert restored.compression.grid == (-row % 8, -column % 8)
    blocks = np.s_[-row % 8 :, -column % 8 :]  # those that are whole, which alone are held to what the file says
    np.testing.assert_array_equal(restored.image[blocks], whole.image[above:, left:][blocks])
    assert restored.path is not None
    assert restored.unfolded is not None
    assert whole.unfolded is not None
    np.testing.assert_array_equal(restored.unfolded, whole.unfolded[:, above:, left:])
    np.testing.assert_array_equal(restored.path[0], image / np.float32(255))


def test_tiles_begin_at_macroblocks_and_show_no_seam(jpeg_model: Path, model: Restorer) -> None:
    assert model.models[0].align == 16
    image = decoded(20)[0][3:, 5:]
    tiled = Restorer.from_file(jpeg_model, device="cpu", precision="float32", tile=48)(image)
    assert tiled.tiles > 1
    assert np.abs(tiled.image.astype(int) - model(image).image.astype(int)).max() <= 1  # the promise: 1/255


def test_what_was_hardly_compressed_comes_back_bit_for_bit(model: Restorer) -> None:
    image, table = decoded(99)
    for restored in (model(image), model(image, table=table), model(image, quality=98)):
        np.testing.assert_array_equal(restored.image, image)
        assert restored.steps == restored.chosen == 0.0
        assert "nothing to repair" in restored.notes[0]
    assert model(image, quality=50).steps > 0  # who insists is served


def test_levels_of_the_other_task_are_refused(model: Restorer, grey_model: Path) -> None:
    image = decoded(20)[0]
    with pytest.raises(UsageError, match="a model of dejpeg is told no noise"):
        model(image, sigma=25.0)
    with pytest.raises(UsageError, match="a denoiser is told no quality"):
        Restorer.from_file(grey_model, device="cpu")(image, quality=20)
    for quality in (0, 101):
        with pytest.raises(UsageError, match=f"quality {quality}"):
            model(image, quality=quality)


def test_pretrained_models_are_those_of_the_task(
    make_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restorer, "WEIGHTS", tmp_path)
    for name, channels in (("grey", 1), ("colour", 3)):
        make_model(channels, task="dejpeg").save(tmp_path / f"dejpeg_{name}.safetensors")
    both = Restorer.pretrained("dejpeg", device="cpu")
    assert both.task == "dejpeg"
    assert [known.unit.channels for known in both.models] == [1, 3]
    make_model(1).save(tmp_path / "dejpeg_grey.safetensors")
    with pytest.raises(ModelError, match="this file holds a denoiser, a model of pdenet-durr denoise"):
        Restorer.pretrained("dejpeg", device="cpu")


def test_a_repair_is_held_to_what_the_file_says(model: Restorer) -> None:
    image, table = decoded(20)
    assert model(image).constraint is not None
    restored = model.sweep(image.astype(np.float64) / 255, (0.0, 1.0), table=table)[1]
    told = restored.constraint
    assert told is not None
    assert restored.unfolded is not None
    assert restored.path is not None
    assert (told.grid, told.steps.ravel().tolist()) == ((0, 0), table)
    np.testing.assert_array_equal(restored.path[0], restored.unfolded[0, ..., 0])
    np.testing.assert_array_equal(restored.path[3], told.held(restored.unfolded[3])[..., 0])
    np.testing.assert_array_equal(restored.image, restored.path[3])
    assert not np.array_equal(restored.path[3], restored.unfolded[3, ..., 0])
    # of a picture that was saved again, the last tables say nothing of the one that was first
    resaved = BytesIO()
    Image.fromarray(decoded(20)[0]).save(resaved, "JPEG", quality=90)
    again = Image.open(resaved)
    assert model(np.asarray(again), table=again.quantization[0]).constraint is None
