"""What is in a file besides its colours, as Pillow and tifffile see it, and a check that a repair leaves it alone."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from durr.batch.dejpeg import Dejpeg
from durr.batch.denoising import Denoising
from durr.batch.run import Done, Settings, restore_files
from durr.images.naming import Pair
from durr.images.reader import MAX_PIXELS
from durr.model import Task
from durr.restorer import Restorer

Restore = Callable[..., dict[float, bytes]]
STRENGTHS = (0.0, 0.5, 1.0, 2.0)
# how the samples lie in a TIFF file
LAYOUT_TAGS = {256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 317, 322, 323, 324, 325, 338, 339}


def inventory(content: bytes) -> dict[str, Any]:
    """What outside readers find in a file besides its colours."""
    if content[:2] in (b"II", b"MM"):
        return inventory_of_tiff(content)
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        exif = image.getexif()
        found = {
            "format": image.format,
            "mode": image.mode,
            "size": image.size,
            "exif": [dict(exif), exif.get_ifd(34665), exif.get_ifd(34853)],
            "alpha": image.getchannel("A").tobytes() if image.mode.endswith("A") else None,
            "text": getattr(image, "text", None),
            "quantisation": getattr(image, "quantization", None),
            **{name: image.info.get(name) for name in ("icc_profile", "xmp", "dpi", "aspect", "jfif_unit", "gamma")},
            **{name: image.info.get(name) for name in ("comment", "photoshop", "compression", "jfif_density")},
        }
    return found | (inventory_of_png(content) if found["format"] == "PNG" else {})


def inventory_of_png(content: bytes) -> dict[str, Any]:
    """The header and every chunk but the samples and the profile, whose packing is free."""
    at, chunks = 8, []
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        chunks.append((name, content[at + 8 : at + 8 + length]))
        at += 12 + length
    return {"chunks": sorted(chunk for chunk in chunks if chunk[0] not in (b"IDAT", b"iCCP"))}


def inventory_of_tiff(content: bytes) -> dict[str, Any]:
    """Type, compression, byte order, axes, alpha and every tag with its type and its value, page by page."""
    with np.printoptions(threshold=sys.maxsize), tifffile.TiffFile(io.BytesIO(content)) as file:
        pages = [
            {
                "tags": [(t.code, t.dtype, repr(t.value)) for t in page.tags if t.code not in LAYOUT_TAGS],
                "kind": (page.dtype, page.shape, page.compression, page.extrasamples),
                "alpha": page.asarray()[..., -1].tobytes() if page.extrasamples else None,
            }
            for page in file.pages
        ]
        axes = [(series.kind, series.axes, series.shape) for series in file.series]
        return {
            "axes": axes,
            "byte order": file.byteorder,
            "pages": pages,
            "imagej": repr(file.imagej_metadata),
            "ome": file.ome_metadata,
        }


@pytest.fixture
def task() -> Task:
    """Of the repair; a test that is parametrized by it may say dejpeg."""
    return "denoise"


@pytest.fixture
def restored(task: Task, grey_model: Path, jpeg_model: Path, tmp_path: Path) -> Restore:
    """restored(content) -> the files behind the repair, by strength."""
    repair, weights = {"denoise": (Denoising(), grey_model), "dejpeg": (Dejpeg(), jpeg_model)}[task]
    model = Restorer.from_file(weights, device="cpu", precision="float32")
    source = tmp_path / "before"
    marks = {f"after{strength}": strength for strength in STRENGTHS}

    def run(content: bytes, *, stack: bool = False) -> dict[float, bytes]:
        source.write_bytes(content)
        settings = Settings(
            repair=repair, strengths=marks, format="keep", max_pixels=MAX_PIXELS, overwrite=True, stack=stack
        )
        pairs = [Pair(source, tmp_path / mark, mark) for mark in marks]
        (done,) = restore_files(model, pairs, settings, lambda path, share: None)
        assert isinstance(done, Done), done
        return {strength: (tmp_path / mark).read_bytes() for mark, strength in marks.items()}

    return run


@pytest.fixture
def check_the_rest(task: Task, restored: Restore) -> Callable[..., None]:
    """check_the_rest(content): behind a repair of any strength only the colours differ, at 0 nothing at all."""
    meant = {"quantisation"} if task == "dejpeg" else set()  # its tables did the damage

    def check(content: bytes, *, stack: bool = False) -> None:
        expected = inventory(content)
        after = restored(content, stack=stack)
        for strength, other in after.items():
            found = inventory(other)
            assert found.keys() == expected.keys()
            for part in found.keys() - meant:
                assert found[part] == expected[part], (strength, part)
        assert after[0.0] == content

    return check
