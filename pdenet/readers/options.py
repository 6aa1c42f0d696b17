"""What the user says about the data, checked word by word before any file is opened.

In the words of the command line: `--var --dims --dt --dx --bc --complex --mask-nan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, get_args

import numpy as np

from backbone.errors import UsageError
from pdenet.fields.field import Boundary
from pdenet.readers.dims import parse_dims

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """Variables, axis names, steps and boundaries as told; None leaves it to the file. dx and boundary: one or many.

    split_complex: complex variables are taken apart. mask_nan: values that are missing are no reason to stop.
    """

    variables: tuple[str, ...] | None = None
    dims: tuple[str, ...] | None = None
    dt: float | None = None
    dx: tuple[float, ...] | None = None
    boundary: tuple[Boundary, ...] | None = None
    split_complex: bool = False
    mask_nan: bool = False

    @classmethod
    def checked(
        cls,
        *,
        variables: str | Sequence[str] | None = None,
        dims: str | Sequence[str] | None = None,
        dt: float | None = None,
        dx: str | float | Sequence[float] | None = None,
        boundary: str | Sequence[str] | None = None,
        complex_parts: str | None = None,
        mask_nan: bool = False,
    ) -> ReadOptions:
        """From words and numbers as `read` takes them; UsageError on a wrong word or a step that is not positive."""
        return cls(
            variables=None if variables is None else _words(variables),
            dims=None if dims is None else parse_dims(dims),
            dt=None if dt is None else _positive(dt, "--dt"),
            dx=None if dx is None else tuple(_positive(h, "--dx") for h in _numbers(dx)),
            boundary=None if boundary is None else tuple(_boundary(word) for word in _words(boundary)),
            split_complex=_split(complex_parts),
            mask_nan=mask_nan,
        )

    def words(self) -> list[str]:
        """The options as words of a command line."""
        lists = {"--var": self.variables, "--dims": self.dims, "--dx": self.dx, "--bc": self.boundary}
        given = {option: ",".join(map(str, entries)) for option, entries in lists.items() if entries is not None}
        if self.dt is not None:
            given["--dt"] = str(self.dt)
        if self.split_complex:
            given["--complex"] = "split"
        return [word for pair in given.items() for word in pair] + ["--mask-nan"] * self.mask_nan

    def steps(self, axes: tuple[str, ...]) -> Mapping[str, float]:
        """The steps that were given, by axis name."""
        given = {} if self.dx is None else dict(zip(axes, _per_axis(self.dx, axes, "--dx"), strict=True))
        return given if self.dt is None else {"time": self.dt, **given}

    def sides(self, axes: tuple[str, ...]) -> tuple[Boundary, ...] | None:
        """The boundary of each space axis, if told."""
        return None if self.boundary is None else _per_axis(self.boundary, axes, "--bc")


def _per_axis(entries: tuple[T, ...], axes: tuple[str, ...], option: str) -> tuple[T, ...]:
    if len(entries) == 1:
        return entries * len(axes)
    if len(entries) != len(axes):
        told = ",".join(str(entry) for entry in entries)
        raise UsageError(
            f"{option} {told} has {len(entries)} entries for the space axes {','.join(axes)}",
            where=option,
            cure=f"{option} {','.join(str(entries[0]) for _ in axes)}",
        )
    return entries


def _words(text: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text.split(",") if isinstance(text, str) else text))


def _numbers(dx: str | float | Sequence[float]) -> tuple[float, ...]:
    if not isinstance(dx, str):
        return tuple(np.atleast_1d(dx).tolist())
    try:
        return tuple(float(word) for word in _words(dx))
    except ValueError as error:
        raise UsageError(
            f"--dx {dx} is not a list of numbers", where="--dx", cure="--dx 0.1 or --dx 0.1,0.2"
        ) from error


def _positive(number: float, option: str) -> float:
    if not 0.0 < number < np.inf:
        raise UsageError(f"{option} {number:g} is not a positive number", where=option, cure=f"{option} 0.1")
    return float(number)


def _boundary(word: str) -> Boundary:
    for known in get_args(Boundary):
        if word == known:
            return known
    raise UsageError(
        f"--bc {word}: boundaries are {' or '.join(get_args(Boundary))}", where="--bc", cure="--bc periodic"
    )


def _split(word: str | None) -> bool:
    if word not in (None, "split"):
        raise UsageError(f"--complex {word}: complex data can be split", where="--complex", cure="--complex split")
    return word == "split"
