"""xarray's data sets: axes by the names of their dimensions, else by the CF attributes along them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from backbone.errors import InputError, UsageError
from pdenet.readers import cf
from pdenet.readers.contents import Contents, from_extra, is_numeric
from pdenet.readers.dims import AXES, axis_named
from pdenet.readers.stored import StoredArray, View, complex_records

COMPLEX = (("r", "i"), ("real", "imag"))


def from_xarray(data: Any) -> Contents:
    """The variables of an xarray.Dataset or DataArray in memory; UsageError for anything else."""
    xarray = from_extra("xarray", "labelled data", "memory")
    if isinstance(data, xarray.DataArray):
        data = data.to_dataset(name=data.name or "u")
    if not isinstance(data, xarray.Dataset):
        raise UsageError(
            f"cannot read data from an object of the type {type(data).__name__}",
            where="read",
            cure="pass a path, a list of paths, or an xarray.Dataset",
        )
    return contents_of(data, "memory")


def closing(dataset: Any, source: str) -> Contents:
    """The contents of a data set that was opened for them alone; stores list their variables in any order."""
    try:
        return replace(contents_of(dataset[sorted(dataset.data_vars)], source), close=dataset.close)
    except BaseException:
        dataset.close()
        raise


def contents_of(dataset: Any, source: str) -> Contents:
    """The numeric variables over time and space of an open data set; nothing is read from them yet.

    Dimensions of length one that are none of run, time, z, y, x are dropped. Raises InputError where the name of a
    dimension and CF attributes along it contradict each other.
    """
    axes = {dim: _axis(dataset, dim, source) for dim in dataset.dims}
    numeric = {str(name): entry for name, entry in dataset.data_vars.items() if _is_numbers(entry) and entry.ndim > 1}
    single = {dim for dim, axis in axes.items() if axis is None and dataset.sizes[dim] == 1}
    kept = {name: entry.variable.isel(dict.fromkeys(single & set(entry.dims), 0)) for name, entry in numeric.items()}
    words = {name: tuple(_word(dim, axes[dim]) for dim in variable.dims) for name, variable in kept.items()}
    # if nothing may vary, the rules for all files say why
    names = [name for name in kept if _may_vary(words[name])] or list(kept)
    arrays = {name: _stored(kept[name]) for name in names}
    dims = {name: words[name] for name in names}
    remarks = [f"{name} is no variable over time and space and is left out" for name in kept if name not in names]
    for name in names:
        remarks += [f"{name} has only one {dim}, which is no axis then" for dim in numeric[name].dims if dim in single]
        remarks += cf.rounding_told(name, numeric[name].encoding)
    return Contents(
        source,
        arrays,
        dims,
        coordinates={axis: np.asarray(along) for axis, along in _coordinates(dataset, axes).items()},
        boundary=_boundary(dataset, axes),
        remarks=(*remarks, *_units(dataset, axes, arrays)),
    )


def _axis(dataset: Any, dim: Hashable, source: str) -> str | None:
    """The axis that a dimension is: by its name, else by the attributes of the coordinates along it."""
    named = axis_named(str(dim))
    meant = {axis for coordinate in _along(dataset, dim) if (axis := cf.axis_of(coordinate.attrs))}
    both = sorted(meant | {named} - {None})
    if len(both) > 1:
        raise InputError(
            f"the dimension {dim} is {' and '.join(both)} by its name and its CF attributes",
            where=f"{source}, {dim}",
            cure=f"call it what it is: data.rename({{'{dim}': '{both[0]}'}})",
        )
    return both[0] if both else None


def _along(dataset: Any, dim: Hashable) -> Iterator[Any]:
    """What may be the coordinate of a dimension, that of its own name first."""
    if dim in dataset.coords:
        yield dataset.coords[dim]
    for name, entry in dataset.variables.items():
        if name != dim and entry.dims == (dim,) and (cf.axis_of(entry.attrs) or axis_named(str(name))):
            yield entry


def _coordinates(dataset: Any, axes: Mapping[Hashable, str | None]) -> dict[str, Any]:
    """The coordinate of each axis that has one."""
    first = {axis: next(_along(dataset, dim), None) for dim, axis in axes.items() if axis is not None}
    return {axis: entry for axis, entry in first.items() if entry is not None}


def _word(dim: Hashable, axis: str | None) -> str:
    """The name of an axis; none where the library that read a file without names has made one up."""
    return axis or ("" if str(dim).startswith(("phony_dim_", "dim_")) else str(dim))


def _may_vary(words: tuple[str, ...]) -> bool:
    """Whether axes may be those of a variable: time and space are among them, or some have no name."""
    return not all(words) or ("time" in words and not {"x", "y", "z"}.isdisjoint(words))


def _is_numbers(entry: Any) -> bool:
    return is_numeric(entry) or entry.dtype.names in COMPLEX


def _stored(variable: Any) -> StoredArray:
    if variable.dtype.names:
        return complex_records(variable, *variable.dtype.names)
    return View(tuple(variable.shape), variable.dtype, lambda block: np.asarray(variable[block]))


def _units(dataset: Any, axes: Mapping[Hashable, str | None], arrays: Mapping[str, StoredArray]) -> Iterator[str]:
    """The units in the data, for the user."""
    entries = {**_coordinates(dataset, axes), **{name: dataset[name] for name in arrays}}
    units = {name: str(entry.attrs["units"]) for name, entry in entries.items() if "units" in entry.attrs}
    yield from cf.units_told(units) if units else ()


def _boundary(dataset: Any, axes: Mapping[Hashable, str | None]) -> tuple[str, ...]:
    """The attribute `boundary` of the space coordinates in the order z, y, x, if all of them have it."""
    entries = _coordinates(dataset, axes)
    space = [axis for axis in AXES if axis in axes.values() and axis not in ("run", "time")]
    sides = [str(entries[axis].attrs.get("boundary", "")) if axis in entries else "" for axis in space]
    return tuple(sides) if all(sides) else ()
