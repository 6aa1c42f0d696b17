"""All that the fit needs of the data: products of columns summed over everything along which no coefficient varies.

moments[b, k, l, p] = sum over the rows of block b at point p of column_k * column_l. With a library of K columns this is
K^2 numbers a point, whatever basis the coefficients are then written in, and however many runs and snapshots there are.
Noise in the data adds to these sums; what it adds is found by adding noise of the same size once more, with both signs,
and taken off again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from pdenet.discovery.collocation import TimeWindow
from pdenet.discovery.varying.columns import Columns, points
from pdenet.fields.field import Field

MAX_BLOCKS = 32
MIN_BLOCKS = 8  # of a few runs, cut in time: fewer would tell little of chance
NUMBERS = 60_000_000  # numbers that the moments may be


@dataclass(frozen=True)
class Moments:
    """raw: sums of products as measured. noise: what noise added to them. rows: equations in each block.

    coordinates: of the points, by varying axis, which are the last axes of the sums in this order, flattened.
    """

    raw: Float64[np.ndarray, "block column column_ point"]
    noise: Float64[np.ndarray, "block column column_ point"]
    rows: Int64[np.ndarray, " block"]
    coordinates: dict[str, Float64[np.ndarray, " place"]]

    @property
    def clean(self) -> Float64[np.ndarray, "block column column_ point"]:
        """The sums without what noise added."""
        return self.raw - self.noise

    def weighted(self, weight: Float64[np.ndarray, " block"]) -> Moments:
        """The same with the rows of each block weighted."""
        spread = weight[:, None, None, None]
        return replace(self, raw=self.raw * spread, noise=self.noise * spread)


def gather(
    field: Field,
    columns: Columns,
    window: TimeWindow,
    varying: Sequence[str],
    noise: Float64[np.ndarray, "run channel"],
    *,
    generator: np.random.Generator,
    device: torch.device,
    progress: Callable[[str], None] = lambda text: None,
) -> Moments:
    """The moments of a field. varying: axes along which they are kept apart, out of "t" and the space axes."""
    starts = window.starts(field.n_times)
    places = {"t": _gauss_times(field, window, starts), **points(field, columns)}
    coordinates = {axis: places[axis] for axis in places if axis in varying}
    n_points = int(np.prod([len(at) for at in coordinates.values()]))
    block = _blocks(field.n_runs, len(starts), NUMBERS // (columns.n_columns**2 * n_points), "t" in varying)
    n_blocks, n_times = int(block.max()) + 1, len(coordinates.get("t", [0]))
    shape = (2, n_blocks, columns.n_columns, columns.n_columns, n_times, n_points // n_times)
    sums = torch.zeros(shape, dtype=torch.float64, device=device)
    rows = np.zeros(n_blocks, dtype=np.int64)
    gauss = len(places["t"]) // len(starts)
    for run in range(field.n_runs):
        progress(f"library of {columns.n_columns - len(columns.targets)} columns: run {run + 1} of {field.n_runs}")
        shape_of_noise = torch.as_tensor(noise[run], device=device).reshape(1, -1, *(1,) * field.n_dims)
        for w, start in enumerate(starts):
            data = torch.as_tensor(field.values[run, start : start + window.width], device=device)
            here = (block[run, w], ..., slice(w * gauss, (w + 1) * gauss) if "t" in varying else slice(None), slice(None))
            measured = _products(columns.evaluate(data), field.axes, varying)
            sums[0][here] += measured
            rows[block[run, w]] += gauss * int(np.prod([len(places[axis]) for axis in field.axes]))
            if noise[run].any():
                shake = shape_of_noise * torch.as_tensor(generator.standard_normal(data.shape), device=device)
                both = [_products(columns.evaluate(data + s * shake), field.axes, varying) for s in (1.0, -1.0)]
                sums[1][here] += (both[0] + both[1]) / 2.0 - measured
    raw, added = sums.flatten(-2).cpu().numpy()
    return Moments(raw, added, rows, coordinates)


def _products(
    values: Float64[Tensor, "column time *point"], axes: Sequence[str], varying: Sequence[str]
) -> Float64[Tensor, "column column_ moment place"]:
    """Products of columns at each varying time and place, summed over the rest."""
    kept = [k for k, axis in enumerate(axes, start=2) if axis in varying]
    others = [k for k in range(2, values.ndim) if k not in kept]
    arranged = values.permute(1, *kept, 0, *others).reshape(len(values[0]), -1, len(values), math.prod(values.shape[k] for k in others))
    if "t" not in varying:
        arranged = arranged.permute(1, 2, 0, 3).flatten(2)[None]
    return (arranged @ arranged.mT).permute(2, 3, 0, 1)


def _gauss_times(field: Field, window: TimeWindow, starts: Sequence[int]) -> Float64[np.ndarray, " time"]:
    """Times at which the equation is asked, window by window."""
    gauss, _ = np.polynomial.legendre.leggauss(window.degree)
    middles = field.t0 + field.dt * (np.asarray(starts) + (window.width - 1) / 2.0)
    return (middles[:, None] + field.dt * (window.width - 1) / 2.0 * gauss).ravel()


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
