"""What `denoise` leaves as it was: metadata, depth, alpha, pages, and at strength 0 the whole file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from durr.restorer import Restorer

Denoise = Callable[..., tuple[int, str, str]]
RNG = np.random.default_rng(11)


def test_alpha_and_metadata_come_back(denoise: Denoise, rgba: np.ndarray) -> None:
    assert denoise("b.png", "-o", "new.png", "--quiet") == (0, "", "")
    with Image.open("new.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 3], rgba[..., 3])
        assert not np.array_equal(np.asarray(image)[..., :3], rgba[..., :3])
        assert image.info["dpi"] == pytest.approx((300, 300), rel=1e-3)  # PNG counts pixels per metre


def test_strength_0_gives_the_same_file(denoise: Denoise) -> None:
    for name in ("a.png", "b.png", "c.jpg", "deep/d.tif"):
        assert denoise(name, "--strength", "0", "-o", "out")[0] == 0
        assert Path("out", Path(name).name).read_bytes() == Path(name).read_bytes()
    assert denoise("c.jpg", "--strength", "0", "-o", "c.png")[0] == 0
    np.testing.assert_array_equal(np.asarray(Image.open("c.png")), np.asarray(Image.open("c.jpg")))


def test_sixteen_bits_and_floats_stay_what_they_are(denoise: Denoise) -> None:
    tifffile.imwrite("deep16.tif", RNG.integers(0, 65536, (20, 20), dtype=np.uint16))
    tifffile.imwrite("float.tif", RNG.uniform(-0.5, 2, (20, 20, 3)).astype(np.float32), photometric="rgb")
    code, _, err = denoise("deep16.tif", "float.tif")
    assert code == 0
    assert "16-bit" in err
    assert "32-bit float" in err
    assert tifffile.imread("deep16_denoised.tif").dtype == np.uint16
    restored = tifffile.imread("float_denoised.tif")
    assert restored.dtype == np.float32
    assert restored.max() > 1  # not clipped


def test_pages_of_a_stack(denoise: Denoise, grey_model: Path) -> None:
    volume = RNG.integers(0, 65536, (3, 20, 24), dtype=np.uint16)
    tifffile.imwrite("stack.tif", volume, imagej=True)
    code, _, err = denoise("stack.tif")
    assert code == 3
    assert "holds 3 pages, CYX by its ImageJ" in err
    assert "--axes CYX" in err
    code, _, err = denoise("stack.tif", "--axes", "TYX")
    assert code == 0
    assert "24 x 20 x 3 pages" in err
    model = Restorer.from_file(grey_model, device="cpu", precision="float32")
    expected = np.stack([model(page).image for page in volume])
    np.testing.assert_array_equal(tifffile.imread("stack_denoised.tif"), expected)
    assert denoise("stack.tif", "--axes", "TYX", "--format", "png")[0] == 2


def test_a_wrong_name_is_told_and_the_content_read(denoise: Denoise) -> None:
    Path("a.png").rename("named.jpg")
    code, _, err = denoise("named.jpg", "-o", "out.png")
    assert code == 0
    assert "note: named like JPEG, but the content is PNG: read as PNG" in err


def test_the_report_proves_what_was_kept(denoise: Denoise, srgb: bytes) -> None:
    exif = Image.Exif()
    exif[274] = 6
    image = Image.fromarray(RNG.integers(0, 256, (9, 12, 4), dtype=np.uint8))
    image.save("full.png", icc_profile=srgb, exif=exif, dpi=(300, 300))
    assert denoise("full.png", "--report", "r.jsonl", "-o", "new.png")[0] == 0
    assert denoise("full.png", "--report", "w.jsonl", "-o", "new.webp")[0] == 0
    kept, moved = (
        {part["what"]: part for part in json.loads(Path(name).read_text())["outputs"][0]["parts"]}
        for name in ("r.jsonl", "w.jsonl")
    )
    assert {part["fate"] for part in kept.values()} == {"kept"}
    assert kept.keys() == {
        *("format", "pages", "size", "depth", "colours", "alpha", "coding"),
        *("colour profile", "EXIF and tags", "orientation", "resolution"),
    }
    assert kept["colour profile"]["after"] == f"{len(srgb)} bytes, sha256 {hashlib.sha256(srgb).hexdigest()}"
    fates = {what: (part["fate"], part["after"]) for what, part in moved.items()}
    assert fates["format"] == ("converted", "WEBP")
    assert fates["resolution"] == ("dropped", "")
    assert moved["resolution"]["why"] == "WEBP cannot keep the resolution"
    assert fates["orientation"] == ("kept", "6")


def test_what_is_not_kept_is_told(denoise: Denoise, grey: np.ndarray) -> None:
    Image.fromarray(grey).save("maker.jpg", extra=b"\xff\xec\x00\x0aDucky\x00ab")
    _, _, err = denoise("maker.jpg", "--report", "r.jsonl")
    assert "note: not kept: APP12 segment 'Ducky'" in err
    (dropped,) = (p for p in json.loads(Path("r.jsonl").read_text())["outputs"][0]["parts"] if p["fate"] == "dropped")
    assert dropped["what"] == "APP12 segment 'Ducky'"
    assert "not kept" not in denoise("maker.jpg", "--strength", "0", "-o", "same.jpg")[2]  # the file itself
