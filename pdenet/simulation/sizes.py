"""Words for sizes: `--grid 64x32`, `--length 2pi`, `--param nu=0.1`, in the order x, y, z."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from backbone.errors import UsageError

_LENGTH = re.compile(r"(?P<number>[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|)\*?(?P<pi>pi|)")


def parse_grid(grid: str | int | Sequence[int], n_named: int) -> tuple[int, ...]:
    """Grid points per axis, in the order x, y, z; one number serves every axis that the equation names.

    At least 4 points each, at most three axes. n_named: the least number of axes that the equation needs.
    """
    text = grid if isinstance(grid, str) else "x".join(map(str, np.atleast_1d(grid)))
    words = text.replace(" ", "").split("x")
    if not 1 <= len(words) <= 3 or not all(re.fullmatch(r"[0-9]{1,6}", word) and int(word) >= 4 for word in words):
        raise UsageError(
            f"'{grid}' is no grid: 1 to 3 numbers of points of at least 4, in the order x, y, z",
            where="--grid",
            cure="--grid 64x64",
        )
    points = tuple(map(int, words))
    return points * n_named if len(points) == 1 else points


def parse_length(length: str | float | Sequence[float], n_dims: int) -> tuple[float, ...]:
    """Length of each axis, in the order x, y, z; one length serves all axes; `2pi` is understood."""
    if isinstance(length, str):
        lengths = [_length(word) for word in length.replace(" ", "").split("x")]
    else:
        lengths = [float(length)] if isinstance(length, int | float) else [float(entry) for entry in length]
    lengths = lengths * n_dims if len(lengths) == 1 else lengths
    if len(lengths) != n_dims or not all(math.isfinite(entry) and entry > 0 for entry in lengths):
        raise UsageError(
            f"'{length}': {n_dims} positive lengths are needed, or one for all axes",
            where="--length",
            cure="--length 2pi",
        )
    return tuple(lengths)


def _length(word: str) -> float:
    match = _LENGTH.fullmatch(word)
    if not word or match is None:
        raise UsageError(f"'{word}' is no length", where="--length", cure="--length 6.28, 2pi or 2pix4pi")
    return float(match["number"] or 1) * (math.pi if match["pi"] else 1.0)


def parse_parameters(words: Sequence[str]) -> dict[str, float]:
    """Read `nu=0.1` entries."""
    parameters = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name) or not math.isfinite(number):
            raise UsageError(f"'{word}' is no NAME=NUMBER", where="--param", cure="--param nu=0.1")
        parameters[name] = number
    return parameters


def snapshot_times(t_end: float, save_every: float) -> tuple[float, ...]:
    """0, save_every, 2 save_every, ... t_end inclusive; UsageError if save_every does not divide t_end."""
    if not (math.isfinite(t_end) and math.isfinite(save_every) and t_end > 0 and save_every > 0):
        raise UsageError(
            f"t-end {t_end:g} and save-every {save_every:g} must be positive",
            where="--t-end, --save-every",
            cure="--t-end 1 --save-every 0.01",
        )
    n = round(t_end / save_every)
    if n < 1 or abs(t_end - n * save_every) > 1e-6 * save_every:  # decimal fractions are rounded in binary
        raise UsageError(
            f"save-every {save_every:g} does not divide t-end {t_end:g}",
            where="--save-every",
            cure=f"--t-end {max(n, 1) * save_every:g}",
        )
    return tuple(t_end * k / n for k in range(n + 1))
