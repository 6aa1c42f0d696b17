"""What microscopes say about the pages of a TIFF file: their axes, the size of a pixel, the names of the channels.

OME-XML (The Open Microscopy Environment, OME-TIFF specification 6.2) and ImageJ's lines stand in the description of the
first page. They are read to be told and compared; what goes into an output is the description itself.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from durr.images.picture import Metadata
from durr.images.tiff_directory import Directory, byte_order, rationals, read_structure

DESCRIPTION, X_RESOLUTION, Y_RESOLUTION = 270, 282, 283
PAGE_AXES = "TZC"  # slowest first, where nothing else is said
ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})")  # as ImageJ writes the micro sign
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
ATTRIBUTE = re.compile(r'([\w:]+)\s*=\s*"([^"]*)"')


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """by: OME-XML or ImageJ. axes: of all pages, slowest first, without those of length 1: "TCYX".

    lengths: by axis. pixel_size: with its unit, by axis, T for time. channels: their names.
    """

    by: str
    axes: str
    lengths: dict[str, int]
    pixel_size: dict[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()


def calibration_of(metadata: Metadata) -> Calibration | None:
    """What the description of a file's first page says, None if it is neither OME-XML nor ImageJ's."""
    if not metadata.exif:
        return None
    tags = read_structure(metadata.exif)
    description = next((entry.value for entry in tags if entry.name == DESCRIPTION), b"").rstrip(b"\0")
    if description.startswith(b"ImageJ="):
        return _of_imagej(_decoded(description), _pixels_per_unit(tags, byte_order(metadata.exif)))
    if b"<OME" in description[:4096]:
        return _of_ome(_decoded(description))
    return None


def pages_of_imagej(description: str) -> int:
    """How many pictures ImageJ says that it wrote; it writes the tags of the first one only if they are too long."""
    found = re.search(r"^images=(\d{1,9})\s*$", description, re.MULTILINE)
    return int(found.group(1)) if description.startswith("ImageJ=") and found else 1


def _of_imagej(description: str, per_unit: tuple[float, float] | None) -> Calibration:
    values = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    words = {"T": "frames", "Z": "slices", "C": "channels"}
    lengths = {axis: _length(values.get(words[axis], "")) for axis in PAGE_AXES}
    if max(lengths.values()) == 1:
        lengths = {"Z": _length(values.get("images", ""))}
    unit = ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), values.get("unit", "pixel"))
    sizes = {} if per_unit is None else {"X": f"{1 / per_unit[0]:.6g} {unit}", "Y": f"{1 / per_unit[1]:.6g} {unit}"}
    sizes |= {"Z": f"{values['spacing']} {unit}"} if "spacing" in values else {}
    sizes |= {"T": f"{values['finterval']} s"} if "finterval" in values else {}
    return _calibration("ImageJ", PAGE_AXES, lengths, sizes, ())


def _of_ome(description: str) -> Calibration | None:
    pixels = re.search(r"<(?:\w+:)?Pixels\b([^>]*)>", description)
    if pixels is None:
        return None
    said = _attributes(pixels.group(1))
    order = said.get("DimensionOrder", "XYCZT")[2:][::-1]
    lengths = {axis: _length(said.get(f"Size{axis}", "")) for axis in order}
    sizes = {
        axis: f"{said[f'PhysicalSize{axis}']} {said.get(f'PhysicalSize{axis}Unit', 'µm')}"
        for axis in "XYZ"
        if f"PhysicalSize{axis}" in said
    }
    if "TimeIncrement" in said:
        sizes["T"] = f"{said['TimeIncrement']} {said.get('TimeIncrementUnit', 's')}"
    channels = [_attributes(found) for found in re.findall(r"<(?:\w+:)?Channel\b([^>]*)>", description)]
    names = tuple(channel["Name"] for channel in channels if "Name" in channel)
    return _calibration("OME-XML", order, lengths, sizes, names)


def _calibration(
    by: str, order: str, lengths: dict[str, int], sizes: dict[str, str], channels: tuple[str, ...]
) -> Calibration:
    long = {axis: lengths[axis] for axis in order if lengths.get(axis, 1) > 1}
    return Calibration(by=by, axes="".join(long) + "YX", lengths=long, pixel_size=sizes, channels=channels)


def _length(text: str) -> int:
    """A number of pages, 1 for what is none."""
    return int(text) if WHOLE_NUMBER.fullmatch(text) else 1


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in ATTRIBUTE.findall(text)}


def _decoded(description: bytes) -> str:
    """UTF-8, as OME says, else Latin-1, as older programs write."""
    try:
        return description.decode()
    except UnicodeDecodeError:
        return description.decode("latin-1")


def _pixels_per_unit(tags: Directory, order: str) -> tuple[float, float] | None:
    found = {entry.name: rationals(entry, order)[:1] for entry in tags if entry.name in (X_RESOLUTION, Y_RESOLUTION)}
    values = [value for name in (X_RESOLUTION, Y_RESOLUTION) for value in found.get(name, ())]
    return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None
