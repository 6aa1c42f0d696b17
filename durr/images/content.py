"""What a file holds, told by its first bytes and never by its name, and the extensions that belong to each format."""

from __future__ import annotations

from pathlib import PurePath

from backbone.errors import UsageError
from durr.images.picture import Format

EXTENSIONS: dict[Format, tuple[str, ...]] = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
    "BMP": (".bmp", ".dib"),
}
READABLE = "PNG, JPEG, TIFF, WebP or BMP"
HEAD = 132  # bytes that tell every format below

_SIGNATURES: tuple[tuple[Format, bytes], ...] = (
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("JPEG", b"\xff\xd8\xff"),
    ("TIFF", b"II*\x00"),
    ("TIFF", b"MM\x00*"),
    ("TIFF", b"II+\x00"),  # BigTIFF
    ("BMP", b"BM"),
)
_FOREIGN: tuple[tuple[str, int, bytes], ...] = (
    ("a big-endian BigTIFF file", 0, b"MM\x00+"),
    ("a GIF", 0, b"GIF8"),
    ("an AVIF picture", 4, b"ftypavif"),
    ("a HEIC picture", 4, b"ftyphei"),
    ("a HEIF picture", 4, b"ftypmif1"),
    ("a Canon raw picture", 4, b"ftypcrx"),
    ("a film (MP4 or QuickTime)", 4, b"ftyp"),
    ("a JPEG 2000 picture", 4, b"jP  "),
    ("a JPEG XL picture", 4, b"JXL "),
    ("a JPEG XL picture", 0, b"\xff\x0a"),
    ("a Photoshop file", 0, b"8BPS"),
    ("an OpenEXR picture", 0, b"\x76\x2f\x31\x01"),
    ("a FITS file", 0, b"SIMPLE  ="),
    ("a DICOM file", 128, b"DICM"),
    ("an icon", 0, b"\x00\x00\x01\x00"),
    ("a PDF document", 0, b"%PDF"),
    ("a ZIP archive", 0, b"PK\x03\x04"),
    ("a gzip archive", 0, b"\x1f\x8b"),
    ("a NumPy array", 0, b"\x93NUMPY"),
    ("an HDF5 file", 0, b"\x89HDF"),
    ("an SVG or XML text", 0, b"<?xml"),
    ("an SVG text", 0, b"<svg"),
    ("an HTML page", 0, b"<!DOCTYPE"),
    ("an HTML page", 0, b"<html"),
    *((f"a portable {kind}map", 0, f"P{digit}".encode()) for digit, kind in zip("123456", ("bit", "grey", "pix") * 2)),  # noqa: B905
)


def recognise(head: bytes) -> Format | None:
    """The format that the first `HEAD` bytes belong to, or None."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return next((name for name, signature in _SIGNATURES if head.startswith(signature)), None)


def foreign(head: bytes) -> str | None:
    """What else the first bytes are known to begin, in words, or None."""
    return next((name for name, at, signature in _FOREIGN if head[at:].startswith(signature)), None)


def format_of_name(path: str | PurePath) -> Format | None:
    """The format that the extension of a name stands for, or None."""
    extension = PurePath(path).suffix.lower()
    return next((name for name, extensions in EXTENSIONS.items() if extension in extensions), None)


def format_of_word(word: str) -> Format | None:
    """The format of `--format png|jpeg|tiff|webp|bmp`, None for keep; UsageError for any other word."""
    if word == "keep":
        return None
    words: dict[str, Format] = {name.lower(): name for name in EXTENSIONS}
    if word not in words:
        raise UsageError(f"'{word}' is not a format", where="--format", cure=f"--format {'|'.join(['keep', *words])}")
    return words[word]
