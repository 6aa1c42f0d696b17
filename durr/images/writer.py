"""From a Picture to a file: `encode_picture` gives the bytes, `write_picture` puts them there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from backbone.atomic import write_atomic
from backbone.errors import OutputError, UsageError
from durr.images import jpeg, webp
from durr.images.bmp import write_bmp
from durr.images.content import format_of_name, format_of_word
from durr.images.metadata import kept_metadata
from durr.images.picture import PREMULTIPLIED, UNKNOWN, Format, Picture
from durr.images.png import write_png
from durr.images.tiff import write_stack, write_tiff

WRITERS: dict[Format, Callable[[Picture], bytes]] = {
    "PNG": write_png,
    "JPEG": jpeg.write_jpeg,
    "TIFF": write_tiff,
    "WEBP": webp.write_webp,
    "BMP": write_bmp,
}
ONLY_TIFF = {PREMULTIPLIED: "colours multiplied by alpha", UNKNOWN: "a further channel that is not alpha"}
WITHOUT_ALPHA = ("JPEG", "BMP")
LARGEST_SIDE: dict[Format, int] = {"JPEG": jpeg.LARGEST_SIDE, "WEBP": webp.LARGEST_SIDE}


def output_format(picture: Picture, word: str, path: Path | None = None) -> Format:
    """The format of an output: as `word` says; for "keep" as the extension of the path, else as the input."""
    named = None if path is None else format_of_name(path)
    return format_of_word(word) or named or picture.format


def check_encodable(picture: Picture, target: Format) -> None:
    """Refuse, before any work, a format that cannot hold the picture's samples: UsageError with one that can."""
    whole, deep = picture.pixels.dtype.kind == "u", picture.pixels.dtype.itemsize > 1
    cure = "--format png" if whole else "--format tiff"
    if deep and (target not in ("PNG", "TIFF") or (target == "PNG" and not whole)):
        raise UsageError(f"{target} cannot hold {picture.depth} samples", where="--format", cure=cure)
    if picture.alpha is not None and target in WITHOUT_ALPHA:
        raise UsageError(f"{target} cannot hold the alpha channel", where="--format", cure=cure)
    if picture.encoding.extra in ONLY_TIFF and target != "TIFF":
        what = ONLY_TIFF[picture.encoding.extra]
        raise UsageError(f"{target} cannot hold {what}", where="--format", cure="--format tiff")
    side = max(picture.pixels.shape[:2])
    if side > LARGEST_SIDE.get(target, side):
        raise UsageError(
            f"{target} ends at {LARGEST_SIDE[target]} pixels a side; the picture has {side}",
            where="--format",
            cure=cure,
        )


def encode_picture(picture: Picture, format: str = "keep") -> bytes:  # noqa: A002  the option's name
    """The bytes of a file. format: keep, png, jpeg, tiff, webp or bmp. Raises UsageError as `check_encodable`."""
    return _encode(picture, output_format(picture, format))


def check_stack(pictures: Sequence[Picture], target: Format) -> None:
    """`check_encodable` for the pages of one file; several can only be TIFF."""
    if len(pictures) > 1 and target != "TIFF":
        raise UsageError(f"{target} cannot hold {len(pictures)} pages", where="--format", cure="--format tiff")
    for picture in pictures:
        check_encodable(picture, target)


def encode_stack(pictures: Sequence[Picture], format: str = "keep") -> bytes:  # noqa: A002  the option's name
    """The bytes of a file of one page a picture. Raises UsageError as `check_stack`."""
    target = output_format(pictures[0], format)
    check_stack(pictures, target)
    if len(pictures) == 1:
        return _encode(pictures[0], target)
    return write_stack([replace(picture, metadata=kept_metadata(picture, target)) for picture in pictures])


def write_picture(path: Path, picture: Picture, *, format: str = "keep", overwrite: bool = False) -> int:  # noqa: A002
    """Write a file in one go, with the folders that lead to it, and give its size in bytes.

    format: "keep" follows the extension of the path, else the input. Raises UsageError as `check_encodable`,
    OutputError if the file exists (unless `overwrite`) or cannot be written.
    """
    _demand_free(path, overwrite)
    content = _encode(picture, output_format(picture, format, path))
    write_content(path, content, overwrite=overwrite)
    return len(content)


def write_content(path: Path, content: bytes, *, overwrite: bool = False) -> None:
    """Write the bytes of a picture file in one go; errors as for `write_picture`."""
    _demand_free(path, overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}; nothing half-written remains",
            where=str(path.parent),
            cure="-o a folder that can be written and has room",
        ) from error


def _demand_free(path: Path, overwrite: bool) -> None:
    if path.is_dir() or (path.exists() and not overwrite):
        raise OutputError(f"{path} exists", where="output", cure="--overwrite or --skip-existing")


def _encode(picture: Picture, target: Format) -> bytes:
    check_encodable(picture, target)
    return WRITERS[target](replace(picture, metadata=kept_metadata(picture, target)))
