"""The restorer: every type and shape of array, strength from 0 to 2, known noise, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

import durr
from backbone.errors import Diverged, InputError, ModelError, UsageError
from durr import restorer
from durr.model import RestorationModel
from durr.restoration import decision
from durr.restoration.arrays import split
from durr.restoration.inference import Inference, resolve_precision
from durr.restoration.strength import image_at, neighbours, position
from durr.restorer import Restored, Restorer

MakeModel = Callable[..., RestorationModel]
NoisyArray = Callable[[tuple[int, ...], str], np.ndarray]

DTYPES = ("uint8", "uint16", "float16", "float32", "float64", ">u2", ">f4")
SHAPES = ((1, 1), (5, 7), (16, 33), (9, 12, 3), (13, 6, 4))


@pytest.fixture
def grey(grey_model: Path) -> Restorer:
    return Restorer.from_file(grey_model, device="cpu", precision="float32")


@pytest.fixture
def colour(colour_model: Path) -> Restorer:
    return Restorer.from_file(colour_model, device="cpu", precision="float32")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_type_and_shape_come_back_and_strength_0_keeps_every_bit(
    dtype: str, shape: tuple[int, ...], grey: Restorer, colour: Restorer, noisy_array: NoisyArray
) -> None:
    image = noisy_array(shape, dtype)
    kept = image.copy()
    for model in (grey, colour):
        none, one = model.sweep(image, (0.0, 1.0))
        np.testing.assert_array_equal(image, kept)  # the input is not written to
        for restored in (none, one):
            assert restored.image.shape == shape
            assert restored.image.dtype == image.dtype
        assert none.image.tobytes() == image.tobytes()
        assert not np.shares_memory(none.image, image)
        assert not np.array_equal(one.image[..., :3], image[..., :3])
        if shape[2:] == (4,):
            np.testing.assert_array_equal(one.image[..., 3], image[..., 3])


def test_whole_numbers_are_the_floats_rounded(colour: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((20, 24, 3), "uint8")
    floats = colour(image / np.float32(255)).image
    expected = np.rint(np.clip(floats, 0, 1) * 255)
    np.testing.assert_array_equal(colour(image).image, expected.astype(np.uint8))


def test_samples_outside_0_to_1_are_allowed_and_scale(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((24, 24), "float32")
    large = grey(1000 * image - 0 * image).image
    # the unit is homogeneous; float32 keeps 6 digits of each of a few hundred products
    np.testing.assert_allclose(large / 1000, grey(image).image, atol=1e-5)


def test_strength_moves_along_the_path(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((20, 24), "float32")
    strengths = (0.0, 0.5, 1.0, 1.5, 2.0)
    done = grey.sweep(image, strengths)
    assert [restored.steps for restored in done] == [0.0, 1.5, 3.0, 4.5, 6.0]
    assert {restored.chosen for restored in done} == {3.0}
    path = done[0].path
    assert path is not None
    assert path.shape == (7, 20, 24)
    np.testing.assert_array_equal(path[0], image)
    np.testing.assert_array_equal(done[2].image, path[3])
    np.testing.assert_allclose(done[1].image, (path[1] + path[2]) / 2, atol=1e-6)  # rounding of float32
    np.testing.assert_allclose(done[3].image, (path[4] + path[5]) / 2, atol=1e-6)
    for strength, restored in zip(strengths, done, strict=True):
        alone = grey(image, strength)
        np.testing.assert_array_equal(alone.image, restored.image)
        assert alone.steps == restored.steps


def test_strength_is_continuous(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((12, 12), "float32")
    fine = np.linspace(0, 2, 201)
    moved = np.array([restored.image for restored in grey.sweep(image, fine.tolist())])
    jumps = np.abs(np.diff(moved, axis=0)).max((1, 2))
    path = np.abs(np.diff(grey(image, 2.0).path, axis=0)).max()
    assert jumps.max() <= 0.03 * path * 1.01  # a hundredth of 3 steps, and rounding


def test_positions() -> None:
    assert position(1.5, 3.0, 8) == 4.5
    assert position(2.0, 5.0, 8) == 8.0  # the path ends there
    assert neighbours([0.0, 1.5, 3.0]) == {0, 1, 2, 3}
    images = {2: torch.zeros(1, 1, 2, 2), 3: torch.ones(1, 1, 2, 2)}
    assert image_at(2.25, images).unique().tolist() == [0.25]
    assert image_at(3.0, images) is images[3]


def test_beyond_the_models_choice_the_steps_are_exact(grey_model: Path, noisy_array: NoisyArray) -> None:
    image = noisy_array((40, 40), "float32")
    short, exact = (Restorer.from_file(grey_model, device="cpu", precision=word) for word in ("bfloat16", "float32"))
    assert not np.array_equal(short(image).image, exact(image).image)
    np.testing.assert_array_equal(short(image, 1.5).image, exact(image, 1.5).image)


def test_known_noise_takes_the_steps_of_its_level(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((12, 12), "uint8")
    restored = grey(image, sigma=30.0)
    assert restored.steps == pytest.approx(3.0)  # halfway between 1 step at 10 and 5 at 50
    assert restored.sigma == 30.0
    np.testing.assert_array_equal(restored.image, grey(image).image)
    assert grey(image, sigma=0.0).image.tobytes() == image.tobytes()
    assert "noise 200 is stronger than any in training, 75" in grey(image, sigma=200.0).notes


def test_noise_is_estimated(grey: Restorer) -> None:
    clean = data.camera()[:200, :200] / 255
    noisy = clean + 25 / 255 * np.random.default_rng(0).standard_normal(clean.shape)
    assert grey(noisy).sigma == pytest.approx(25, rel=0.1)  # as in the tests of the estimate


def test_a_constant_image_stays_constant_inside(make_model: MakeModel) -> None:
    unit = make_model(1).unit
    with torch.no_grad():
        unit.enter.weight -= unit.enter.weight.mean(
            (2, 3), keepdim=True
        )  # blind to constants, as trained ones nearly are
    model = Restorer(models=(make_model(1),), device=torch.device("cpu"), precision=torch.float32)
    model.models[0].unit.load_state_dict(unit.state_dict())
    image = np.full((120, 120), 0.5, np.float32)
    inside = model(image).image[40:-40, 40:-40]
    # 3 steps of 12 pixels see no edge there; the kernels' means are zero to float32's rounding of 64 features
    np.testing.assert_allclose(inside, 0.5, atol=1e-5)


def test_grey_model_on_colour_works_channel_by_channel(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((12, 20, 3), "float32")
    restored = grey(image)
    assert "grey model: the channels are restored one by one" in restored.notes
    for k in range(3):
        # a batch of three and a batch of one may add in another order
        np.testing.assert_allclose(restored.image[..., k], grey(image[..., k]).image, atol=1e-5)


def test_colour_model_on_grey_averages_three_equal_channels(colour: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((12, 20), "float32")
    restored = colour(image)
    assert "colour model: the grey picture is taken as three equal channels" in restored.notes
    expected = colour(np.repeat(image[..., None], 3, 2)).image.mean(2)
    np.testing.assert_allclose(restored.image, expected, atol=1e-6)  # the order of three sums


def test_the_model_fits_the_image(grey: Restorer, colour: Restorer) -> None:
    both = Restorer(models=grey.models + colour.models, device=grey.device, precision=grey.precision)
    assert both.model_for(1) is grey.models[0]
    assert both.model_for(3) is colour.models[0]
    assert grey.model_for(3) is grey.models[0]


@pytest.mark.parametrize("shape", [(150, 131), (70, 90, 3)], ids=str)
def test_tiles_make_no_difference_that_is_seen(
    shape: tuple[int, ...], grey_model: Path, grey: Restorer, noisy_array: NoisyArray, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = noisy_array(shape, "uint16")
    whole = grey(image)
    tiled = Restorer.from_file(grey_model, device="cpu", precision="float32", tile=32)(image)
    monkeypatch.setattr(decision, "WHOLE_PIXELS", 1000)
    large = grey(image)
    for other, tiles in ((tiled, 25 if len(shape) == 2 else 9), (large, 1)):
        assert np.abs(other.image.astype(int) - whole.image.astype(int)).max() <= 65535 / 255  # the promise
        assert other.steps == whole.steps
        assert other.tiles == tiles
        assert other.path is None


def test_progress_ends_at_one(grey_model: Path, noisy_array: NoisyArray) -> None:
    shares: list[float] = []
    model = Restorer.from_file(grey_model, tile=32, device="cpu")
    model(noisy_array((70, 70), "uint8"), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_is_not_finite_in_bfloat16_is_done_again(grey_model: Path, noisy_array: NoisyArray) -> None:
    model = Restorer.from_file(grey_model, device="cpu", precision="bfloat16", tile=32)
    unit = model.models[0].unit
    field = unit.field

    def overflowing(t: float, state: torch.Tensor) -> torch.Tensor:
        rate = field(t, state)
        return torch.full_like(rate, torch.inf) if torch.is_autocast_enabled("cpu") else rate

    unit.field = overflowing  # type: ignore[method-assign]
    image = noisy_array((64, 64), "float32")
    restored = model(image)
    assert (restored.tiles, restored.float32) == (4, 5)  # the decision and every tile
    assert "5 times done again in float32: bfloat16 overflowed" in restored.notes
    exact = Restorer.from_file(grey_model, device="cpu", precision="float32", tile=32)(image)
    np.testing.assert_array_equal(restored.image, exact.image)
    unit.field = lambda t, state: torch.full_like(state, torch.nan)  # type: ignore[method-assign]
    with pytest.raises(Diverged):
        model(image)


@pytest.mark.parametrize(
    ("image", "error", "words"),
    [
        (np.zeros((4, 4), bool), UsageError, "samples of type bool"),
        (np.zeros((4, 4), complex), UsageError, "samples of type complex128"),
        (np.zeros((4, 4), np.int32), UsageError, "samples of type int32"),
        (np.zeros(4), UsageError, r"shape \(4,\)"),
        (np.zeros((4, 4, 2)), UsageError, r"shape \(4, 4, 2\)"),
        (np.zeros((1, 4, 4, 3)), UsageError, r"shape \(1, 4, 4, 3\)"),
        (np.zeros((0, 4)), UsageError, r"shape \(0, 4\)"),
        (np.where(np.arange(12).reshape(3, 4) == 6, np.nan, 0.5), InputError, "1 samples .* row 1, column 2"),
        (np.full((2, 2), np.inf, np.float32), InputError, "4 samples are not finite"),
    ],
    ids=lambda value: "" if isinstance(value, np.ndarray) else str(value)[:24],
)
def test_other_arrays_are_refused(image: np.ndarray, error: type[Exception], words: str, grey: Restorer) -> None:
    with pytest.raises(error, match=words):
        grey(image)


def test_alpha_may_be_anything_and_other_types_are_refused() -> None:
    image = np.zeros((2, 2, 4))
    image[..., 3] = np.nan
    assert split(image).alpha is not None
    with pytest.raises(UsageError, match="a Tensor is no array"):
        split(torch.zeros(4, 4))


@pytest.mark.parametrize("strength", [-0.1, 2.1, float("nan")])
def test_strength_outside_0_to_2(strength: float, grey: Restorer) -> None:
    with pytest.raises(UsageError, match=r"outside 0 \.\.\. 2"):
        grey(np.zeros((4, 4)), strength)


@pytest.mark.parametrize("sigma", [-3.0, float("nan"), float("inf")])
def test_impossible_noise(sigma: float, grey: Restorer) -> None:
    with pytest.raises(UsageError, match="noise of"):
        grey(np.zeros((4, 4)), sigma=sigma)


def test_words_are_checked(grey_model: Path) -> None:
    with pytest.raises(UsageError, match="'sharpen' is no task"):
        Restorer.pretrained("sharpen")
    with pytest.raises(UsageError, match="'float8' is no precision"):
        Restorer.from_file(grey_model, precision="float8")
    with pytest.raises(UsageError, match="tiles of 8 pixels"):
        Restorer.from_file(grey_model, tile=8)
    assert resolve_precision("auto", torch.device("cpu")) in (torch.float32, torch.bfloat16)


def test_pretrained_takes_the_files_of_the_package(
    grey_model: Path, colour_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restorer, "WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match="weights of this package are missing"):
        Restorer.pretrained("denoise", device="cpu")
    grey_model.rename(tmp_path / "denoise_grey.safetensors")
    colour_model.rename(tmp_path / "denoise_colour.safetensors")
    model = Restorer.pretrained("denoise", device="cpu")
    assert [known.unit.channels for known in model.models] == [1, 3]


def test_the_public_names() -> None:
    assert (durr.Restorer, durr.Restored) == (Restorer, Restored)


def test_inference_keeps_no_gradients(make_model: MakeModel) -> None:
    work = Inference(model=make_model(1), device=torch.device("cpu"), precision=torch.float32)
    assert work.path(torch.rand(1, 1, 8, 8)).images.is_inference()


def test_the_ensemble_is_the_mean_over_the_eight_forms(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = noisy_array((24, 36), "float32")  # whole cells of the unit
    sigma = 30.0  # the same number of steps for every form
    averaged = replace(grey, ensemble=True)(image, sigma=sigma)
    forms = []
    for quarter in range(4):
        turned = np.rot90(image, quarter)
        forms.append(np.rot90(grey(turned, sigma=sigma).image, -quarter))
        forms.append(np.rot90(grey(turned[:, ::-1], sigma=sigma).image[:, ::-1], -quarter))
    assert np.abs(averaged.image - np.mean(forms, axis=0)).max() < 1e-5  # float32, in another order
    assert np.abs(averaged.image - forms[0]).max() > 1e-3  # it is not one of them
    assert averaged.steps == grey(image, sigma=sigma).steps
    assert averaged.path is not None
    assert np.abs(averaged.path[0] - image).max() < 1e-6  # a mean of eight equal images


def test_the_ensemble_stops_and_tiles_like_one_image(grey: Restorer, noisy_array: NoisyArray) -> None:
    image = data.astronaut()[:70, :90]
    averaged = replace(grey, ensemble=True)
    whole = averaged(image)
    assert whole.chosen == grey(image).chosen
    tiled = replace(averaged, tile=32)(image)
    assert tiled.tiles > 1
    assert np.abs(whole.image.astype(int) - tiled.image.astype(int)).max() <= 1  # the promise for tiles
