"""From a file to a Picture: `read_picture` recognises the content and refuses what cannot be used."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from backbone.errors import Failure, InputError, ResourceError
from durr.images import tiff
from durr.images.bmp import read_bmp
from durr.images.content import HEAD, READABLE, foreign, format_of_name, recognise
from durr.images.inputs import missing
from durr.images.jpeg import read_jpeg
from durr.images.picture import Format, Picture
from durr.images.png import read_png
from durr.images.source import Source
from durr.images.webp import read_webp

MAX_PIXELS = 200_000_000  # more than any camera's 150 MP; decoded as RGB and float32 it takes 2.4 GB
Reader = Callable[[Source], Sequence[Picture]]


def _alone(read: Callable[[Source], Picture]) -> Reader:
    return lambda source: (read(source),)


READERS: dict[Format, Reader] = {
    "PNG": _alone(read_png),
    "JPEG": _alone(read_jpeg),
    "TIFF": _alone(tiff.read_tiff),
    "WEBP": _alone(read_webp),
    "BMP": _alone(read_bmp),
}
STACK_READERS: dict[Format, Reader] = READERS | {"TIFF": tiff.read_stack}


def read_picture(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read one PNG, JPEG, TIFF, WebP or BMP picture from a file, or from the bytes of one.

    The content decides the format, the type of the samples the depth. The orientation tag is kept, not applied.
    max_pixels: rows times columns above which nothing is decoded.
    Raises InputError for what is missing, unreadable, no picture, damaged, too large, several pictures in one file or
    not finite; ResourceError if the memory does not suffice.
    """
    return _read(source, max_pixels, READERS)[0]


def read_stack(source: str | Path | bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Picture, ...]:
    """Every page of a TIFF file, whose pixels count together; of other formats the one picture. As `read_picture`."""
    return _read(source, max_pixels, STACK_READERS)


def _read(source: str | Path | bytes, max_pixels: int, readers: Mapping[Format, Reader]) -> tuple[Picture, ...]:
    name = "-" if isinstance(source, bytes) else str(source)
    content = source if isinstance(source, bytes) else _load(Path(source))
    kind = _checked_format(content, name)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pictures = _decode(readers[kind], kind, Source(name, content, max_pixels))
    notes = tuple(dict.fromkeys(f"damaged in part: {warning.message}" for warning in told))
    named = None if isinstance(source, bytes) else format_of_name(source)
    if named not in (None, kind):
        notes = (f"named like {named}, but the content is {kind}: read as {kind}", *notes)
    return tuple(replace(picture, notes=notes + picture.notes) for picture in pictures)


def _decode(read: Reader, kind: Format, source: Source) -> Sequence[Picture]:
    """The pictures of a file of this kind; whatever a decoder raises on foreign bytes becomes an InputError."""
    try:
        return read(source)
    except Failure:
        raise
    except MemoryError as error:
        raise ResourceError(
            f"not enough memory to decode '{source.name}'", where=source.name, cure="close other programs, or crop it"
        ) from error
    except Image.DecompressionBombError as error:
        raise source.error(f"is larger than its format may be: {error}", "save it as uncompressed TIFF") from error
    except Exception as error:  # decoders raise nearly anything on damaged bytes
        reason = str(error) or type(error).__name__
        raise source.error(f"is a {kind} file, but damaged or truncated: {reason}", "copy it again") from error


def _load(path: Path) -> bytes:
    """The bytes of a file, if it begins like a picture, else only its beginning; InputError if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            return head + file.read() if recognise(head) else head
    except FileNotFoundError as error:
        raise missing(path) from error
    except IsADirectoryError as error:
        raise InputError(f"'{path}' is a folder", where=str(path), cure="name a picture in it") from error
    except OSError as error:
        raise InputError(
            f"cannot read '{path}': {error.strerror}", where=str(path), cure=f"ls -l '{path}', then chmod or copy it"
        ) from error


def _checked_format(content: bytes, name: str) -> Format:
    """The format of the content; InputError if it is none that is read."""
    if not content:
        raise InputError(f"'{name}' is empty", where=name, cure="copy it again from its source")
    kind = recognise(content[:HEAD])
    if kind is None:
        what = foreign(content[:HEAD]) or "not a picture"
        raise InputError(
            f"'{name}' is {what}; readable: {READABLE}", where=name, cure=f"if it is a picture: magick '{name}' new.png"
        )
    return kind
