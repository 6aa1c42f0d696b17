"""Travelling waves on a grid whose axes all differ in length, as every format has to give them back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest


@dataclass(frozen=True)
class Waves:
    """Data in one and two dimensions, and their coordinates."""

    t: np.ndarray = field(default_factory=lambda: 0.5 + 0.05 * np.arange(7))
    y: np.ndarray = field(default_factory=lambda: np.linspace(0.0, 1.0, 10, endpoint=False))
    x: np.ndarray = field(default_factory=lambda: np.linspace(-1.0, 1.0, 12, endpoint=False))

    def line(self, run: int = 0) -> np.ndarray:
        """u[time, x] of period 2."""
        t = self.t[:, None]
        return np.cos(np.pi * (self.x - t) + run) + 0.5 * np.sin(2 * np.pi * (self.x - 0.7 * t))

    def plane(self, run: int = 0) -> np.ndarray:
        """u[time, y, x], another one with y and x exchanged."""
        along_y = 2.0 + np.sin(2 * np.pi * (self.y[:, None] - 0.3 * self.t[:, None, None]))
        return self.line(run)[:, None, :] * along_y


@pytest.fixture(scope="session")
def waves() -> Waves:
    return Waves()


@pytest.fixture
def notes() -> list[str]:
    return []
