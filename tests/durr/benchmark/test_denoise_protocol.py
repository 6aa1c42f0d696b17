"""The protocol and its pictures: the noise to the last digit, what passes through 8-bit files, and the sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from backbone.errors import InputError, UsageError
from durr.benchmark.noise_protocol import NoiseProtocol
from durr.benchmark.picture_set import choose_sets, read_set, sample_set


def said_nothing(text: str) -> None:
    raise AssertionError(text)


def folder_of(place: Path, **pictures: np.ndarray) -> Path:
    place.mkdir()
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(place / f"{name}.png")
    return place


def test_the_noise_is_drawn_picture_after_picture_from_one_generator() -> None:
    pictures = [data.camera()[:16, :20], data.coffee()[:12, :14]]
    generator = np.random.default_rng(0)
    expected = [picture + 25.0 * generator.standard_normal(picture.shape) for picture in pictures]
    for sigma in (25.0, 25.0):  # made anew for each level
        for found, wanted in zip(NoiseProtocol(eight_bit=False).degraded(pictures, sigma), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    for found, wanted in zip(NoiseProtocol(eight_bit=True).degraded(pictures, 25.0), expected, strict=True):
        np.testing.assert_array_equal(found, np.rint(wanted.clip(0, 255)))


def test_eight_bit_pictures_are_those_of_a_png_file(tmp_path: Path) -> None:
    (noisy,) = NoiseProtocol(eight_bit=True).degraded([data.coffee()[:32, :32]], 50.0)
    Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / "noisy.png")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "noisy.png")), noisy)


def test_the_output_is_clipped_and_rounded_only_for_eight_bit() -> None:
    restored = np.array([[-0.1, 0.1003, 0.5, 1.2]], dtype=np.float32)
    exact = np.float64(restored[0, 1:3]) * 255
    np.testing.assert_array_equal(NoiseProtocol(eight_bit=False).finished(restored), [[0, *exact, 255]])
    np.testing.assert_array_equal(NoiseProtocol(eight_bit=True).finished(restored), [[0, 26, 128, 255]])


@pytest.mark.parametrize("clean", [data.camera()[:64, :48], data.coffee()[:48, :64]], ids=["grey", "colour"])
def test_the_scores_are_scikit_images(clean: np.ndarray) -> None:
    protocol = NoiseProtocol(eight_bit=False)
    (noisy,) = protocol.degraded([clean], 25.0)
    judged = noisy.clip(0, 255)
    options = {"data_range": 255.0, "channel_axis": 2 if clean.ndim == 3 else None}
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    exact = clean.astype(np.float64)
    # the same sums but for the division and multiplication by 255
    assert protocol.scores(noisy / 255, clean) == pytest.approx(
        {
            "psnr": peak_signal_noise_ratio(exact, judged, data_range=255.0),
            "ssim": structural_similarity(exact, judged, **options),
            "ssim_gaussian": structural_similarity(exact, judged, **options, **gaussian),
        },
        rel=1e-9,
    )


def test_a_folder_is_read_in_sorted_order_as_its_pictures_are(tmp_path: Path) -> None:
    first, second = data.coffee()[:16, :20], data.coffee()[20:40, :16]
    place = folder_of(tmp_path / "set", b=second, a=first)
    pictures = read_set(place, limit=None, colour=None)
    assert (pictures.title, pictures.colour) == ("set colour", True)
    for found, wanted in zip(pictures.pictures, (first, second), strict=True):
        np.testing.assert_array_equal(found, wanted)
    shorter = read_set(place, limit=1, colour=None)
    assert (shorter.title, len(shorter.pictures)) == ("set[:1] colour", 1)
    assert shorter.sha256 != pictures.sha256


def test_grey_is_the_luma_of_itu_r_bt_601(tmp_path: Path) -> None:
    colour, grey = data.coffee()[:16, :20], data.camera()[:16, :20]
    place = folder_of(tmp_path / "set", a=colour, b=grey)
    pictures = read_set(place, limit=None, colour=None)  # grey, because one of them is
    assert (pictures.title, pictures.colour) == ("set grey", False)
    luma = np.asarray(Image.fromarray(colour).convert("L")).astype(int)
    assert np.abs(pictures.pictures[0] - luma).max() <= 1  # Pillow's weights have 16 binary digits
    np.testing.assert_array_equal(pictures.pictures[1], grey)


def test_without_data_there_are_samples_and_a_word_about_it() -> None:
    told: list[str] = []
    (pictures,) = choose_sets([], limit=2, colour=False, note=told.append)
    assert pictures.title == "skimage[:2] grey"
    assert [picture.shape for picture in pictures.pictures] == [(512, 512), (300, 451)]
    assert told == ["no --data: measured on scikit-image's sample pictures astronaut, chelsea"]
    np.testing.assert_array_equal(sample_set(limit=1, colour=None).pictures[0], data.astronaut())


def test_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    places = [folder_of(parent / "set", a=data.camera()[:16, :16]) for parent in (tmp_path, tmp_path / "other")]
    with pytest.raises(UsageError, match="set grey, set grey"):
        choose_sets(places, limit=None, colour=None, note=said_nothing)


def test_a_set_that_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no"):
        read_set(tmp_path / "missing", limit=None, colour=None)
    with pytest.raises(InputError, match="no picture"):
        read_set(tmp_path, limit=None, colour=None)
    place = folder_of(tmp_path / "set", a=data.camera()[:8, :16])
    with pytest.raises(InputError, match="8 x 16, too small for SSIM"):
        read_set(place, limit=None, colour=None)
    (place / "b.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"b\.png"):
        read_set(place, limit=None, colour=None)
