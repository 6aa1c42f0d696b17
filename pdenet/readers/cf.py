"""What the CF conventions say of a variable: its axis, its units, how coarsely it is stored.

"NetCDF Climate and Forecast Metadata Conventions", sections 3.1 (units), 3.3 (standard names), 4 (axes), 8.1 (packing).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

AXES = {"T": "time", "X": "x", "Y": "y", "Z": "z"}
STANDARD_NAMES = {
    "time": "time",
    "projection_x_coordinate": "x",
    "longitude": "x",
    "projection_y_coordinate": "y",
    "latitude": "y",
    "altitude": "z",
    "height": "z",
    "depth": "z",
}
DEGREES = {"degrees_north": "y", "degree_north": "y", "degrees_east": "x", "degree_east": "x"}


def axis_of(attributes: Mapping[Hashable, Any]) -> str | None:
    """The axis that a coordinate is by its attributes `axis`, `standard_name` or `units`."""
    units = str(attributes.get("units", ""))
    return (
        AXES.get(str(attributes.get("axis", "")).upper())
        or STANDARD_NAMES.get(str(attributes.get("standard_name", "")))
        or ("time" if " since " in units else DEGREES.get(units))
    )


def units_told(units: Mapping[str, str]) -> list[str]:
    """What the user should know of the units, by axis or variable: they are those of the coefficients."""
    told = [
        f"{axis} is in {word}: coefficients are per degree, and the sphere is taken for flat"
        for axis, word in units.items()
        if word in DEGREES
    ]
    return [*told, "units in the data: " + ", ".join(f"{name} in {word}" for name, word in units.items())]


def rounding_told(name: str, encoding: Mapping[Hashable, Any]) -> list[str]:
    """The rounding of numbers kept as integers with a scale; nothing if they are not."""
    scale, kept = encoding.get("scale_factor"), encoding.get("dtype")
    if scale is None or kept is None or np.dtype(kept).kind not in "iu":
        return []
    step = abs(float(scale))
    return [f"{name} is stored in steps of {step:g}: their rounding acts like noise of {step / np.sqrt(12):.2g}"]
