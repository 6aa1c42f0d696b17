"""All that the fit needs of the data: products of columns summed over everything along which no coefficient varies.

moments[b, k, l, p] = sum over the rows of block b at point p of column_k * column_l. With a library of K columns this
is K^2 numbers a point, whatever basis the coefficients are then written in, and however many snapshots there are. Noise
in the data adds to these sums; what it adds is found by adding noise of the same size once more, with both signs, and
taken off again: errors in the variables would otherwise draw the coefficients towards zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from pdenet.discovery.varying.columns import Columns
from pdenet.discovery.varying.weak_time import WeakWindow
from pdenet.fields.field import Field

MAX_BLOCKS = 32
MIN_BLOCKS = 8  # of a few runs, cut in time: fewer would tell little of chance
NUMBERS = 30_000_000  # numbers that the moments may be
CHUNK_NUMBERS = 12_000_000  # numbers of the columns that are held at once


@dataclass(frozen=True)
class Moments:
    """raw: sums of products as measured. noise: what noise added to them. rows: equations in each block.

    coordinates: of the points, by varying axis, which are the last axes of the sums in this order, flattened.
    """

    raw: Float64[np.ndarray, "block column column_ point"]
    noise: Float64[np.ndarray, "block column column_ point"]
    rows: Int64[np.ndarray, " block"]
    coordinates: dict[str, Float64[np.ndarray, " place"]]

    @cached_property
    def clean(self) -> Float64[np.ndarray, "block column column_ point"]:
        """The sums without what noise added."""
        return self.raw - self.noise

    def weighted(self, weight: Float64[np.ndarray, " block"]) -> Moments:
        """The same with the rows of each block weighted."""
        spread = weight[:, None, None, None]
        return replace(self, raw=self.raw * spread, noise=self.noise * spread)


class Gathering:
    """Sums the moments of a field under test functions in time. varying: axes along which they are kept apart, of "t"
    and the space axes."""

    def __init__(
        self, field: Field, columns: Columns, functions: WeakWindow, varying: Sequence[str], device: torch.device
    ) -> None:
        self._field, self._columns, self._functions, self._device = field, columns, functions, device
        self._starts = functions.starts(field.n_times)
        self._over_time = "t" in varying
        self._space = [axis for axis in field.axes if axis in varying]
        places = {"t": functions.middles(field), **columns.coordinates}
        self.coordinates = {axis: places[axis] for axis in ("t", *field.axes) if axis in varying}

    def gather(
        self,
        noise: Float64[np.ndarray, "run channel"],
        *,
        generator: np.random.Generator,
        progress: Callable[[str], None] = lambda text: None,
    ) -> Moments:
        """The moments. noise: standard deviation of that in the data."""
        field, n_columns = self._field, self._columns.n_columns
        n_points = math.prod(len(at) for at in self.coordinates.values())
        block = _blocks(field.n_runs, len(self._starts), NUMBERS // (n_columns**2 * n_points), self._over_time)
        n_times = len(self._starts) if self._over_time else 1
        shape = (2, int(block.max()) + 1, n_columns, n_columns, n_times, n_points // n_times)
        sums = torch.zeros(shape, dtype=torch.float64, device=self._device)
        rows = np.zeros(shape[1], dtype=np.int64)
        per_window = math.prod(len(at) for at in self._columns.coordinates.values())
        for run in range(field.n_runs):
            progress(f"library of {n_columns - len(self._columns.targets)} columns: run {run + 1} of {field.n_runs}")
            scale = torch.as_tensor(noise[run], device=self._device).reshape(1, -1, *(1,) * field.n_dims)
            for chosen in self._chunks():
                for kind, found in enumerate(self._of_chunk(run, chosen, scale, generator)):
                    for w, products in zip(chosen, found, strict=True):
                        sums[kind, block[run, w], :, :, w if self._over_time else 0] += products
                rows += np.bincount(block[run, chosen], minlength=len(rows)) * per_window
        raw, added = sums.flatten(-2).cpu().numpy()
        return Moments(raw, added, rows, self.coordinates)

    def _chunks(self) -> list[Int64[np.ndarray, " window"]]:
        """Windows whose columns are held at once: neighbours, which share snapshots."""
        per_snapshot = self._columns.n_columns * math.prod(self._field.space_shape)
        snapshots = max(CHUNK_NUMBERS // per_snapshot, self._functions.width)
        first, chunks = 0, []
        for w, start in enumerate(self._starts):
            if start + self._functions.width - self._starts[first] > snapshots:
                chunks.append(np.arange(first, w))
                first = w
        return [*chunks, np.arange(first, len(self._starts))]

    def _of_chunk(
        self, run: int, chosen: Int64[np.ndarray, " window"], scale: Tensor, generator: np.random.Generator
    ) -> list[Float64[Tensor, "window column column_ point"]]:
        """Products of the columns as measured, and what noise added to them, if there is any."""
        begin, end = self._starts[chosen[0]], self._starts[chosen[-1]] + self._functions.width
        data = torch.as_tensor(self._field.values[run, begin:end], device=self._device)
        weights = self._weights(chosen, begin, end - begin)
        measured = self._products(data, weights)
        if not bool((scale > 0).any()):
            return [measured]
        shake = scale * torch.as_tensor(generator.standard_normal(data.shape), device=self._device)
        both = self._products(data + shake, weights) + self._products(data - shake, weights)
        return [measured, both / 2.0 - measured]

    def _weights(
        self, chosen: Int64[np.ndarray, " window"], begin: int, n_snapshots: int
    ) -> Float64[Tensor, "kind window snapshot"]:
        """psi and -psi' of every window, over the snapshots of a chunk."""
        weights = np.zeros((2, len(chosen), n_snapshots))
        for k, w in enumerate(chosen):
            at = self._starts[w] - begin
            weights[:, k, at : at + self._functions.width] = self._functions.weights(self._field.dt)
        return torch.as_tensor(weights, device=self._device)

    def _products(
        self, snapshots: Float64[Tensor, "time channel *space"], weights: Float64[Tensor, "kind window snapshot"]
    ) -> Float64[Tensor, "window column column_ point"]:
        """Products of averaged columns at each varying place, summed over the other axes."""
        values = self._columns.evaluate(snapshots)
        n_targets = len(self._columns.targets)
        averaged = torch.cat(
            [
                torch.tensordot(values[:-n_targets], weights[0], dims=([1], [1])),
                torch.tensordot(values[-n_targets:], weights[1], dims=([1], [1])),
            ]
        )
        kept = [k for k, axis in enumerate(self._field.axes, start=1) if axis in self._space]
        others = [k for k in range(1, values.ndim - 1) if k not in kept]
        n_others = math.prod(averaged.shape[k] for k in others)
        arranged = averaged.permute(-1, *kept, 0, *others).reshape(len(weights[0]), -1, len(values), n_others)
        return (arranged @ arranged.mT).permute(0, 2, 3, 1)


def _blocks(n_runs: int, n_windows: int, affordable: int, over_time: bool) -> Int64[np.ndarray, "run window"]:
    """Block of each window: runs are blocks; a few runs are cut in time as well.

    over_time: where coefficients vary in time, blocks take turns in time so that none of it is known to one block only.
    """
    pieces = 1 if n_runs >= MIN_BLOCKS else min(n_windows, -(-MIN_BLOCKS // n_runs))
    window = np.arange(n_windows)
    stretch = window % pieces if over_time else window * pieces // n_windows
    block = np.arange(n_runs)[:, None] * pieces + stretch[None, :]
    found, most = n_runs * pieces, int(np.clip(affordable, 2, MAX_BLOCKS))
    return block if found <= most else block * most // found
