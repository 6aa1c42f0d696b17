"""What the arrays of a file are as a field, before any of their values are used: variables, axes and steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Shaped

from pdenet.fields.field import Field, space_axes
from pdenet.fields.on_disk import OnDisk
from pdenet.readers.contents import Contents, Note
from pdenet.readers.coordinates import axis_steps, find_coordinates, runs_backwards
from pdenet.readers.dims import resolve_dims
from pdenet.readers.options import ReadOptions
from pdenet.readers.stored import StoredArray
from pdenet.readers.variables import choose_variables, clean_names


@dataclass(frozen=True)
class Layout:
    """arrays: the variables by their name in the file, not read yet. dims: the axes of each, in its own order.
    coordinates: the points of every axis that has them."""

    contents: Contents
    options: ReadOptions
    arrays: Mapping[str, StoredArray]
    dims: Mapping[str, tuple[str, ...]]
    coordinates: Mapping[str, Shaped[np.ndarray, " point"]]

    @classmethod
    def of(cls, contents: Contents, options: ReadOptions) -> Layout:
        """The layout of one file. Raises UsageError for words that do not fit it, InputError where it is not clear."""
        coordinates = find_coordinates(contents)
        lengths = {axis: len(points) for axis, points in coordinates.items()}
        arrays = choose_variables(contents, options.variables)
        dims = {
            name: resolve_dims(
                name,
                array,
                lengths,
                given=options.dims,
                stated=contents.dims.get(name, ()),
                source=contents.source,
            )
            for name, array in arrays.items()
        }
        return cls(contents, options, arrays, dims, coordinates)

    @property
    def nbytes(self) -> int:
        """Bytes of all values as float64."""
        n_parts = {name: 2 if np.dtype(array.dtype).kind == "c" else 1 for name, array in self.arrays.items()}
        return sum(8 * n_parts[name] * math.prod(array.shape) for name, array in self.arrays.items())

    @property
    def space(self) -> tuple[str, ...]:
        """The space axes in standard order."""
        return space_axes(len(set(next(iter(self.dims.values()))) - {"run", "time"}))

    @property
    def turned(self) -> tuple[str, ...]:
        """Space axes that run backwards in the file."""
        return tuple(axis for axis in self.space if runs_backwards(self.coordinates.get(axis)))

    def field(
        self, values: Float64[np.ndarray, "run time channel *space"] | OnDisk, names: Sequence[str], note: Note
    ) -> Field:
        """The field of these values, turned round already, with steps and names; boundaries are not judged."""
        source, coordinates = self.contents.source, dict(self.coordinates)
        for axis in self.turned:
            note(f"{axis} runs backwards in the file and is turned round")
            coordinates[axis] = coordinates[axis][::-1]
        given = self.options.steps(self.space)
        steps = axis_steps(self.contents, coordinates, ("time", *self.space), given, note)
        return Field(
            values=values,
            dt=steps["time"][1],
            dx=tuple(steps[axis][1] for axis in self.space),
            names=clean_names(tuple(names), source, note),
            boundary=("none",) * len(self.space),
            t0=steps["time"][0],
            origin=tuple(steps[axis][0] for axis in self.space),
            source=source,
        )
