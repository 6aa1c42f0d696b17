"""Arrays whose numbers are read when they are indexed, and views of them: nothing is read to look at another order.

What h5py, zarr, xarray and NumPy hand out all are stored arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Shaped

Block = tuple[int | slice, ...]  # one entry per axis


@runtime_checkable
class StoredArray(Protocol):
    """Shape and type are known at once; the numbers come when indexed by a block, or by `...` for all of them."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis."""
        ...

    @property
    def dtype(self) -> Any:
        """Type of the numbers."""
        ...

    @property
    def ndim(self) -> int:
        """Number of axes."""
        ...

    def __getitem__(self, index: Any) -> Any:
        """The numbers of a block."""
        ...


@dataclass(frozen=True)
class View:
    """A stored array made from others. read: gives the numbers of a block."""

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[Block], Shaped[np.ndarray, "*axis"]]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> Shaped[np.ndarray, "*axis"]:
        return self.read((slice(None),) * self.ndim if index is ... else index)


def reverse_axes(array: StoredArray) -> View:
    """The array with its axes in reversed order: what MATLAB wrote by columns stands by rows in an HDF5 file."""
    return View(tuple(array.shape[::-1]), np.dtype(array.dtype), lambda block: np.asarray(array[block[::-1]]).T)


def component(array: StoredArray, place: tuple[int, ...]) -> View:
    """One component of an array of vectors or tensors, whose last axes count the components."""
    shape = tuple(array.shape[: -len(place)])
    return View(shape, np.dtype(array.dtype), lambda block: np.asarray(array[(*block, *place)]))


def stack(arrays: Sequence[StoredArray]) -> View:
    """Arrays of one shape on top of each other, along a new first axis."""

    def read(block: Block) -> Shaped[np.ndarray, "*axis"]:
        first, rest = block[0], block[1:]
        if isinstance(first, int):
            return np.asarray(arrays[first][rest])
        return np.stack([np.asarray(array[rest]) for array in arrays[first]])

    return View((len(arrays), *arrays[0].shape), np.result_type(*{np.dtype(array.dtype) for array in arrays}), read)


def complex_records(array: StoredArray, real: str, imaginary: str) -> View:
    """Complex numbers that a file keeps as records of two real ones under these names."""

    def read(block: Block) -> Shaped[np.ndarray, "*axis"]:
        records = np.asarray(array[block])
        return records[real] + 1j * records[imaginary]

    return View(tuple(array.shape), np.result_type(np.dtype(array.dtype)[real], np.complex64), read)
