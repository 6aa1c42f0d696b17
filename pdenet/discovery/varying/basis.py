"""Functions of one coordinate that make up a coefficient: Fourier modes round a period, Legendre between walls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from numpy.polynomial import legendre


@dataclass(frozen=True)
class AxisBasis(ABC):
    """Functions of the coordinate `axis` over [start, start + length], rougher and rougher by level; 0 is constant."""

    axis: str
    start: float
    length: float

    @abstractmethod
    def size(self, level: int) -> int:
        """Number of functions up to a level."""

    @abstractmethod
    def levels(self, functions: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The level of each function."""

    @abstractmethod
    def values(self, at: Float64[np.ndarray, " point"], level: int) -> Float64[np.ndarray, "point function"]:
        """All functions up to a level, each with mean square 1 over the interval, the first one being 1."""

    @abstractmethod
    def formula(self, function: int) -> tuple[float, str]:
        """A function as a number times a text that `pdenet-durr simulate` reads; the text of the first is empty."""


@dataclass(frozen=True)
class FourierBasis(AxisBasis):
    """1, sqrt(2) cos(k w x), sqrt(2) sin(k w x), k = 1 to the level, w = 2 pi / length; the phase is that of x = 0."""

    def size(self, level: int) -> int:
        return 2 * level + 1

    def levels(self, functions: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        return (functions + 1) // 2

    def values(self, at: Float64[np.ndarray, " point"], level: int) -> Float64[np.ndarray, "point function"]:
        angles = 2.0 * np.pi / self.length * np.outer(at, np.arange(1, level + 1))
        waves = np.sqrt(2.0) * np.stack([np.cos(angles), np.sin(angles)], axis=2)
        return np.concatenate([np.ones((len(at), 1)), waves.reshape(len(at), 2 * level)], axis=1)

    def formula(self, function: int) -> tuple[float, str]:
        if function == 0:
            return 1.0, ""
        wave = 2.0 * np.pi / self.length * ((function + 1) // 2)
        number = repr(round(wave)) if abs(wave - round(wave)) < 1e-9 else repr(float(wave))
        angle = self.axis if number == "1" else f"{number}*{self.axis}"
        return float(np.sqrt(2.0)), f"{'cos' if function % 2 else 'sin'}({angle})"


@dataclass(frozen=True)
class LegendreBasis(AxisBasis):
    """sqrt(2 n + 1) P_n of the interval mapped to [-1, 1], n = 0 to the level."""

    def size(self, level: int) -> int:
        return level + 1

    def levels(self, functions: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        return functions

    def values(self, at: Float64[np.ndarray, " point"], level: int) -> Float64[np.ndarray, "point function"]:
        mapped = 2.0 * (at - self.start) / self.length - 1.0
        return legendre.legvander(mapped, level) * np.sqrt(2.0 * np.arange(level + 1) + 1.0)

    def formula(self, function: int) -> tuple[float, str]:
        if function == 0:
            return 1.0, ""
        mapped = f"({2.0 / self.length!r}*({self.axis} - {self.start!r}) - 1)"
        powers = legendre.leg2poly(np.eye(function + 1)[-1])
        pieces = [f"{c!r}*{mapped}**{n}" if n else repr(c) for n, c in enumerate(powers.tolist()) if c]
        return float(np.sqrt(2.0 * function + 1.0)), "(" + " + ".join(pieces) + ")"
