from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backbone.errors import OutputError, UsageError
from durr.images import writer
from durr.images.picture import PREMULTIPLIED, Encoding, Picture
from durr.images.reader import read_picture
from durr.images.writer import encode_picture, output_format, write_picture

Noise = Callable[..., np.ndarray]
NOBODY = 65534


@pytest.mark.parametrize(
    ("dtype", "word", "cure"),
    [
        *((dtype, word, "png") for dtype in ["u2"] for word in ["jpeg", "webp", "bmp"]),
        *((dtype, word, "tiff") for dtype in ["f2", "f4", "f8"] for word in ["jpeg", "webp", "bmp", "png"]),
    ],
)
def test_a_format_too_shallow_is_refused(noise: Noise, dtype: str, word: str, cure: str) -> None:
    with pytest.raises(UsageError, match=rf"{word.upper()} cannot hold \d+-bit") as caught:
        encode_picture(Picture(pixels=noise((3, 4), dtype)), word)
    assert caught.value.cure == f"--format {cure}"


@pytest.mark.parametrize("word", ["jpeg", "bmp"])
def test_a_format_without_alpha_is_refused(noise: Noise, word: str) -> None:
    with pytest.raises(UsageError, match="alpha") as caught:
        encode_picture(Picture(pixels=noise((3, 4)), alpha=noise((3, 4))), word)
    assert caught.value.cure == "--format png"


def test_premultiplied_colours_stay_in_tiff(noise: Noise) -> None:
    picture = Picture(pixels=noise((3, 4)), alpha=noise((3, 4)), encoding=Encoding(extra=PREMULTIPLIED))
    with pytest.raises(UsageError, match="multiplied by alpha") as caught:
        encode_picture(picture, "png")
    assert caught.value.cure == "--format tiff"


@pytest.mark.parametrize(("word", "side"), [("jpeg", 65501), ("webp", 16384)])
def test_sides_too_long_for_a_format_are_refused(word: str, side: int) -> None:
    with pytest.raises(UsageError, match=f"the picture has {side}"):
        encode_picture(Picture(pixels=np.zeros((1, side), np.uint8)), word)
    assert encode_picture(Picture(pixels=np.zeros((1, side - 1), np.uint8)), word)


@pytest.mark.parametrize("word", ["gif", "jpg", "PNG", ""])
def test_other_words_are_no_formats(word: str) -> None:
    with pytest.raises(UsageError, match="is not a format"):
        encode_picture(Picture(pixels=np.zeros((1, 1), np.uint8)), word)


def test_the_extension_decides_unless_a_word_does() -> None:
    picture = Picture(pixels=np.zeros((1, 1), np.uint8), format="BMP")
    assert output_format(picture, "keep") == "BMP"
    assert output_format(picture, "keep", Path("a.TIF")) == "TIFF"
    assert output_format(picture, "keep", Path("a.dat")) == "BMP"
    assert output_format(picture, "webp", Path("a.dat")) == "WEBP"


def test_writing_makes_the_folders_and_keeps_what_is_there(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "sub" / "folder" / "a.png"
    picture = Picture(pixels=noise((5, 4)))
    assert write_picture(path, picture) == path.stat().st_size
    np.testing.assert_array_equal(read_picture(path).pixels, picture.pixels)
    inverse = replace(picture, pixels=255 - picture.pixels)
    with pytest.raises(OutputError, match="exists") as caught:
        write_picture(path, inverse)
    assert caught.value.cure == "--overwrite or --skip-existing"
    np.testing.assert_array_equal(read_picture(path).pixels, picture.pixels)
    write_picture(path, inverse, overwrite=True)
    np.testing.assert_array_equal(read_picture(path).pixels, inverse.pixels)
    with pytest.raises(OutputError, match="exists"):
        write_picture(path.parent, picture, overwrite=True)
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]


def test_a_target_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    picture = Picture(pixels=np.zeros((1, 1), np.uint8))
    with pytest.raises(OutputError, match="cannot write"):
        write_picture(tmp_path / "file" / "a.png", picture)


def test_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o555)
    monkeypatch.chdir(tmp_path)
    user = os.geteuid()
    if user == 0:  # root may write everywhere
        os.seteuid(NOBODY)
    try:
        with pytest.raises(OutputError, match="Permission denied; nothing half-written remains"):
            write_picture(Path("a.png"), Picture(pixels=np.zeros((1, 1), np.uint8)))
    finally:
        os.seteuid(user)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "write_atomic", full)
    with pytest.raises(OutputError, match="No space left on device; nothing half-written remains"):
        write_picture(tmp_path / "a.png", Picture(pixels=np.zeros((1, 1), np.uint8)))
    assert list(tmp_path.iterdir()) == []
