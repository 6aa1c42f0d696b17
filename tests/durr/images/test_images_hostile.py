"""Damaged, forged and foreign files: always a Picture or an InputError, and no bomb is decoded."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from backbone.errors import Failure, InputError, ResourceError
from durr.images import reader
from durr.images.picture import Picture
from durr.images.reader import read_picture
from durr.images.writer import encode_picture

Noise = Callable[..., np.ndarray]
Save = Callable[..., bytes]
MUTATIONS = 60  # of each seed; thousands were run by hand
LIMIT = 1_000_000  # pixels: a forged size within it needs little memory


def outcome(content: bytes) -> Picture | InputError:
    """The picture, which can be written again or is refused, or the error."""
    try:
        picture = read_picture(content, max_pixels=LIMIT)
    except InputError as error:
        return error
    with suppress(Failure):
        encode_picture(picture)
    return picture


def test_truncated_at_every_seventh(seeds: dict[str, bytes]) -> None:
    for name, content in seeds.items():
        assert isinstance(outcome(content), Picture), name
        for part in range(7):
            assert isinstance(outcome(content[: len(content) * part // 7]), InputError), (name, part)


def mutants(content: bytes, generator: np.random.Generator) -> Iterator[bytes]:
    """One to five bytes changed, half of them near the beginning, where the headers are."""
    for _ in range(MUTATIONS):
        changed = bytearray(content)
        for _ in range(generator.integers(1, 6)):
            end = len(content) if generator.random() < 0.5 else min(200, len(content))
            changed[generator.integers(0, end)] = generator.integers(0, 256)
        yield bytes(changed)


def test_changed_bytes(seeds: dict[str, bytes]) -> None:
    generator = np.random.default_rng(8)
    for content in seeds.values():
        for mutant in mutants(content, generator):
            outcome(mutant)


@pytest.mark.parametrize("name", ["png", "16-bit png", "palette png"])
def test_changed_bytes_behind_right_checksums(
    seeds: dict[str, bytes], name: str, with_right_checksums: Callable[[bytes], bytes]
) -> None:
    generator = np.random.default_rng(9)
    content = seeds[name]
    assert with_right_checksums(content) == content
    kinds = {type(outcome(with_right_checksums(mutant))) for mutant in mutants(content, generator)}
    assert kinds == {Picture, InputError}


def png_header(width: int, height: int, depth: int = 8) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    rest = [b"IDAT" + zlib.compress(bytes(100)), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in [body, *rest]
    )


def bombs(by_pillow: Save) -> dict[str, bytes]:
    """20 000 x 20 000 pixels claimed by a few bytes."""
    jpeg = by_pillow(Image.new("RGB", (8, 8)), "JPEG")
    frame = jpeg.index(b"\xff\xc0")
    size = struct.pack(">HH", 20_000, 20_000)
    bmp = by_pillow(Image.new("RGB", (8, 8)), "BMP")
    tiff = by_pillow(Image.new("RGB", (8, 8)), "TIFF")
    for name in (256, 257):
        entry = tiff.index(struct.pack("<HH", name, 4)) if struct.pack("<HH", name, 4) in tiff else -1
        entry = entry if entry >= 0 else tiff.index(struct.pack("<HH", name, 3))
        tiff = tiff[: entry + 2] + struct.pack("<HII", 4, 1, 20_000) + tiff[entry + 12 :]
    return {
        "png": png_header(20_000, 20_000),
        "16-bit png": png_header(20_000, 20_000, 16),
        "jpeg": jpeg[: frame + 5] + size + jpeg[frame + 9 :],
        "bmp": bmp[:18] + struct.pack("<ii", 20_000, 20_000) + bmp[26:],
        "tiff": tiff,
    }


@pytest.mark.parametrize("name", ["png", "16-bit png", "jpeg", "bmp", "tiff"])
def test_a_bomb_is_refused_by_its_header(name: str, by_pillow: Save) -> None:
    with pytest.raises(InputError, match="20000 x 20000 pixels = 400 MP, above the limit of 200 MP") as caught:
        read_picture(bombs(by_pillow)[name])
    assert caught.value.cure == "--max-pixels 400000000"


def test_a_webp_bomb_is_refused_by_its_header(by_pillow: Save) -> None:
    """Sides end at 16 384: 16 000 x 16 000 are 256 MP."""
    lossless = by_pillow(Image.new("RGB", (8, 8)), "WEBP", lossless=True)
    bits = struct.unpack("<I", lossless[21:25])[0] & ~0xFFFFFFF
    forged = lossless[:21] + struct.pack("<I", bits | 15_999 | 15_999 << 14) + lossless[25:]
    with pytest.raises(InputError):
        read_picture(forged)


def test_the_limit_is_the_users(by_pillow: Save) -> None:
    content = by_pillow(Image.new("RGB", (30, 20)), "PNG")
    assert read_picture(content, max_pixels=600).pixels.shape == (20, 30, 3)
    with pytest.raises(InputError, match="30 x 20"):
        read_picture(content, max_pixels=599)


def test_a_zlib_bomb_is_inflated_no_further_than_the_picture() -> None:
    """100 MB of zeros behind a header of 2 x 2 pixels."""
    pixels = zlib.compress(bytes(100_000_000))
    parts = [b"IHDR" + struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0), b"IDAT" + pixels, b"IEND"]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in parts
    )
    assert read_picture(content).pixels.tolist() == np.zeros((2, 2, 3)).tolist()


@pytest.mark.parametrize("mode", ["1", "P", "L", "RGBA"])
def test_a_png_with_too_few_samples_is_damaged(
    mode: str, noise: Noise, by_pillow: Save, with_right_checksums: Callable[[bytes], bytes]
) -> None:
    """Its stream ends in order, and Pillow takes zeros for the rows that are not there."""
    content = bytearray(by_pillow(Image.fromarray(noise((20, 9, 3))).convert(mode), "PNG"))
    content[20:24] = struct.pack(">I", 21)  # one row more
    with pytest.raises(InputError, match="bytes of samples are missing"):
        read_picture(with_right_checksums(bytes(content)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_counted_and_refused(noise: Noise, kind: str, by_pillow: Save) -> None:
    frames = [Image.fromarray(noise((8, width, 3))).resize((8, 8)) for width in (8, 9, 10)]
    content = by_pillow(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    with pytest.raises(InputError, match="holds 3 frames"):
        read_picture(content)


def test_pages_are_counted_and_refused(noise: Noise) -> None:
    memory = io.BytesIO()
    tifffile.imwrite(memory, noise((5, 8, 9), "u2"), photometric="minisblack")
    with pytest.raises(InputError, match="holds 5 pages"):
        read_picture(memory.getvalue())


def test_pages_in_a_circle_end() -> None:
    content = bytearray(encode_picture(Picture(pixels=np.zeros((2, 2), np.uint8)), "tiff"))
    n_tags = struct.unpack("<H", content[8:10])[0]
    content[10 + 12 * n_tags : 14 + 12 * n_tags] = struct.pack("<I", 8)  # the next page is the first
    assert read_picture(bytes(content)).pixels.shape == (2, 2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a" + bytes(50), "a GIF"),
        (bytes(4) + b"ftypheic" + bytes(50), "a HEIC"),
        (b"%PDF-1.7", "a PDF"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (b"P6\n2 2\n255\n", "a portable pixmap"),
        (b"P5\n2 2\n255\n", "a portable greymap"),
        (b"some words", "not a picture"),
        (b"\x89PN", "not a picture"),
    ],
)
def test_what_is_no_picture_is_told_by_name(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_picture(content)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    with pytest.raises(InputError, match=r"cannot find '.*phto\.png'") as caught:
        read_picture(tmp_path / "phto.png")
    assert caught.value.cure == f"did you mean '{tmp_path / 'photo.png'}'?"
    assert "notes" not in caught.value.where
    with pytest.raises(InputError, match="cannot find") as caught:
        read_picture(tmp_path / "nowhere" / "photo.png")
    assert "no folder" in caught.value.where
    with pytest.raises(InputError, match="is a folder"):
        read_picture(tmp_path)
    with pytest.raises(InputError, match="is empty"):
        read_picture(tmp_path / "photo.png")
    with pytest.raises(InputError, match="cannot read"):
        read_picture(tmp_path / "photo.png" / "inner.png")


def test_content_and_name_may_disagree(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encode_picture(Picture(pixels=noise((4, 4, 3))), "jpeg"))
    picture = read_picture(path)
    assert picture.format == "JPEG"
    assert picture.notes == ("named like PNG, but the content is JPEG: read as JPEG",)
    path.rename(tmp_path / "photo.dat")
    assert read_picture(tmp_path / "photo.dat").notes == ()


def test_raw_pictures_are_sent_to_a_developer() -> None:
    memory = io.BytesIO()
    tifffile.imwrite(memory, np.zeros((4, 4), np.uint16), extratags=[(50706, "B", 4, (1, 4, 0, 0), True)])
    with pytest.raises(InputError, match="DNG"):
        read_picture(memory.getvalue())


def test_no_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch, by_pillow: Save) -> None:
    def full(source: object) -> Picture:
        raise MemoryError

    monkeypatch.setitem(reader.READERS, "PNG", full)
    with pytest.raises(ResourceError, match="not enough memory"):
        read_picture(by_pillow(Image.new("L", (2, 2)), "PNG"))


def test_pillows_warnings_become_notes(by_pillow: Save) -> None:
    """A description of a million bytes in a file of a few."""
    content = by_pillow(Image.new("RGB", (4, 4)), "TIFF", description="more than four")
    entry = content.index(struct.pack("<HHI", 270, 2, 15))
    picture = read_picture(content[: entry + 4] + struct.pack("<I", 1_000_000) + content[entry + 8 :])
    assert picture.pixels.shape == (4, 4, 3)
    assert picture.notes == ("damaged in part: Tag data larger than file. Skipping tag 270",)
