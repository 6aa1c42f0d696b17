"""The account of a file's parts: each kept, converted or dropped, with a reason of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from durr.images import Picture, encode_stack, read_stack
from durr.images.account import OLD_PIXELS, OTHER_FORMAT, Part, account
from durr.images.picture import Metadata

Save = Callable[..., bytes]
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def parts(before: bytes, word: str) -> dict[str, Part]:
    pages = read_stack(before)
    return {part.what: part for part in account(pages, read_stack(encode_stack(pages, word)))}


@pytest.mark.parametrize(
    ("word", "changed"),
    [
        ("keep", {}),
        ("png", {"format": "converted", "coding": "converted", "other metadata": "dropped"}),
        ("webp", {"format": "converted", "resolution": "dropped", "other metadata": "dropped"}),
        (
            "bmp",
            {
                **{"format": "converted", "coding": "converted", "orientation": "dropped", "EXIF and tags": "dropped"},
                **{"other metadata": "dropped"},
            },
        ),
    ],
)
def test_a_photograph_in_other_formats(word: str, changed: dict[str, str], by_pillow: Save) -> None:
    exif = Image.Exif()
    exif[274] = 6
    found = parts(by_pillow(Image.fromarray(PIXELS), "JPEG", exif=exif, dpi=(300, 300), comment=b"a word"), word)
    assert {what: part.fate for what, part in found.items() if part.fate != "kept"} == changed
    for what, part in found.items():
        assert (part.why == "") == (part.fate == "kept"), what
    if "resolution" in changed:
        assert found["resolution"][2:] == ("300 x 300 per inch", "", "WEBP cannot keep the resolution")
    if word != "keep":
        assert found["format"].why == OTHER_FORMAT
        assert found["other metadata"].why == f"{word.upper()} cannot keep other metadata of JPEG"


def test_a_palette_is_converted_by_its_note(by_pillow: Save) -> None:
    found = parts(by_pillow(Image.fromarray(PIXELS[..., 0]), "PNG", dpi=(72, 72)), "webp")
    assert (found["colours"].fate, found["colours"].before, found["colours"].after) == ("converted", "grey", "RGB")
    assert found["depth"].fate == "kept"


def test_near_resolutions_are_the_same_and_lost_blocks_are_told() -> None:
    metadata = Metadata(dpi=(300.0, 150.0), icc=b"a profile", dropped=("layers",))
    before = Picture(pixels=PIXELS, format="TIFF", metadata=metadata)
    after = replace(before, metadata=Metadata(dpi=(299.9994, 150.0012), icc=b"another"))
    found = {part.what: part for part in account([before], [after])}
    assert found["resolution"].fate == "kept"  # PNG counts whole pixels per metre
    assert found["colour profile"].fate == "converted"
    assert found["layers"] == Part("layers", "dropped", "in the file", "", OLD_PIXELS)
    assert {part.fate for part in account([before], [before])} == {"kept"}
