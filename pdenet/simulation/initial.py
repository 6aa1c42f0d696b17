"""Initial fields: random Fourier modes, sines, solitons, spirals; none depends on the number of grid points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from backbone.errors import UsageError

Fields = Float64[np.ndarray, "run channel *space"]


@dataclass(frozen=True)
class Start:
    """Where a simulation starts: n_runs fields of n_channels on a box, in array order ([z,] y, x)."""

    n_runs: int
    n_channels: int
    shape: tuple[int, ...]
    lengths: tuple[float, ...]

    def coordinates(self) -> list[Float64[np.ndarray, "*space"]]:
        """Coordinate of every grid point along each axis, in array order."""
        axes = [length / n * np.arange(n) for n, length in zip(self.shape, self.lengths, strict=True)]
        return list(np.meshgrid(*axes, indexing="ij"))


def random_modes(
    start: Start, generator: np.random.Generator, *, modes: float = 4, amplitude: float = 2, offset: float = 0
) -> Fields:
    """White noise cut to |k| <= modes per axis, scaled to a largest value of `amplitude`, plus a constant uniform in
    [-offset, offset], per run and channel. The largest value is taken on 16 points per shortest wave."""
    n_modes = int(modes)
    if n_modes < 1 or n_modes != modes:
        raise UsageError(
            f"modes={modes:g} is not a positive whole number", where="--init", cure="--init random:modes=4"
        )
    if min(start.shape) < 2 * n_modes + 2:
        raise UsageError(
            f"{min(start.shape)} grid points cannot hold {n_modes} modes",
            where="--grid",
            cure=f"use at least {2 * n_modes + 2} points, or --init random:modes={max(1, min(start.shape) // 2 - 1)}",
        )
    n_dims = len(start.shape)
    shape = (start.n_runs, start.n_channels, 2, *(2 * n_modes + 1,) * n_dims)
    noise = generator.standard_normal(shape)
    constants = generator.uniform(-offset, offset, (start.n_runs, start.n_channels)) if offset else 0.0
    waves = noise[:, :, 0] + 1j * noise[:, :, 1]
    largest = np.abs(_summed(waves, (16 * n_modes,) * n_dims)).reshape(start.n_runs, start.n_channels, -1).max(axis=-1)
    spread = (..., *(None,) * n_dims)
    fields = _summed(waves, start.shape) * (amplitude / largest)[spread]
    return fields + np.broadcast_to(constants, largest.shape)[spread]


def _summed(waves: np.ndarray, shape: Sequence[int]) -> Fields:
    """Real part of sum_k waves_k exp(2 pi i k j / n) on the points j; k from -K to K along every axis."""
    n_modes = waves.shape[-1] // 2
    total = waves
    for n in shape:  # transforms the first space axis and moves it to the end
        phases = np.exp(2j * math.pi * np.outer(np.arange(-n_modes, n_modes + 1), np.arange(n)) / n)
        total = np.tensordot(total, phases, axes=(2, 0))
    return np.ascontiguousarray(total.real)


def sine(start: Start, generator: np.random.Generator, *, waves: float = 1, amplitude: float = 1) -> Fields:
    """amplitude times the sum over axes of sin(2 pi waves x / L), the same in every run and channel."""
    angles = (2 * math.pi * waves * x / length for x, length in zip(start.coordinates(), start.lengths, strict=True))
    field = amplitude * np.sum([np.sin(angle) for angle in angles], axis=0)
    return np.broadcast_to(field, (start.n_runs, start.n_channels, *start.shape)).copy()


def solitons(start: Start, generator: np.random.Generator, *, fast: float = 4, slow: float = 1) -> Fields:
    """Two solitons of u_t = -6 u u_x - u_xxx, c/2 sech^2(sqrt(c)/2 (x - x0)), speeds fast and slow, with their images
    in the neighbouring periods. Run 0 puts them at L/4 and L/2, further runs at random places."""
    if len(start.shape) != 1:
        raise UsageError("solitons live in one dimension", where="--init solitons", cure="--init random")
    (length,), (x,) = start.lengths, start.coordinates()
    places = generator.uniform(0, length, (start.n_runs, 2))
    places[0] = length / 4, length / 2
    fields = np.zeros((start.n_runs, 1, *start.shape))
    for k, speed in enumerate((fast, slow)):
        for image in range(-2, 3):
            distance = x - places[:, k, None] + image * length
            fields[:, 0] += speed / 2 / np.cosh(math.sqrt(speed) / 2 * distance) ** 2
    return np.repeat(fields, start.n_channels, axis=1)


def spiral(start: Start, generator: np.random.Generator, *, arms: float = 1) -> Fields:
    """A spiral wave for two channels: tanh(r) cos(arms phi - r), tanh(r) sin(arms phi - r) about the middle of the box;
    further runs start about random places, turned by random angles."""
    if len(start.shape) != 2 or start.n_channels != 2:
        raise UsageError(
            "a spiral needs two variables in two dimensions", where="--init spiral", cure="--init random:modes=4"
        )
    y, x = start.coordinates()
    lengths = np.array(start.lengths)
    centres = generator.uniform(0.25, 0.75, (start.n_runs, 2)) * lengths
    turns = generator.uniform(0, 2 * math.pi, start.n_runs)
    centres[0], turns[0] = lengths / 2, 0.0
    across = x - centres[:, 1, None, None]
    along = y - centres[:, 0, None, None]
    r = np.hypot(across, along)
    angle = arms * np.arctan2(along, across) - r + turns[:, None, None]
    return np.stack([np.tanh(r) * np.cos(angle), np.tanh(r) * np.sin(angle)], axis=1)


KINDS: Mapping[str, tuple[Callable[..., Fields], tuple[str, ...]]] = {
    "random": (random_modes, ("modes", "amplitude", "offset")),
    "sine": (sine, ("waves", "amplitude")),
    "solitons": (solitons, ("fast", "slow")),
    "spiral": (spiral, ("arms",)),
}


def parse_initial(text: str) -> tuple[str, dict[str, float]]:
    """Read `random:modes=4,amplitude=2,offset=2`: the kind and its settings; UsageError on any other word."""
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise UsageError(f"unknown initial field '{kind}'", where="--init", cure=f"use one of: {', '.join(KINDS)}")
    settings: dict[str, float] = {}
    for piece in filter(None, rest.split(",")):
        key, _, value = piece.partition("=")
        known = KINDS[kind][1]
        if key not in known:
            raise UsageError(
                f"'{key}' is no setting of {kind}", where="--init", cure=f"use some of: {', '.join(known)}"
            )
        try:
            settings[key] = float(value)
        except ValueError:
            raise UsageError(f"'{value}' is no number", where=f"--init {key}", cure=f"--init {kind}:{key}=2") from None
        if not math.isfinite(settings[key]):
            raise UsageError(f"{key}={value}", where="--init", cure="use a finite number")
    return kind, settings


def initial_fields(text: str, start: Start, generator: np.random.Generator) -> Fields:
    """The fields that the text describes, drawn from the generator."""
    kind, settings = parse_initial(text)
    return KINDS[kind][0](start, generator, **settings)
