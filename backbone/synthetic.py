"""Points in the plane that small networks are tried on: peaks, ellipses, Swiss roll, eight Gaussians. float64.

As in Meganet's examples: Haber and Ruthotto, Inverse Problems 34 (2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

Plane = Float[Tensor, "point 2"]
CLASSES = 5  # of peaks: ranges of equal length
PIXELS = 256


@dataclass(frozen=True, eq=False)
class Labelled:
    """Points and the class of each."""

    points: Float[Tensor, "point feature"]
    labels: Int[Tensor, " point"]

    def halves(self) -> tuple[Labelled, Labelled]:
        """Alternate points, to train on and to test on."""
        first, second = (Labelled(self.points[k::2], self.labels[k::2]) for k in (0, 1))
        return first, second


def peaks(n: int, *, generator: torch.Generator) -> Labelled:
    """MATLAB's peaks function on [-3, 3]^2, its range cut into five equal ones; n / 5 points drawn of each."""
    axis = torch.linspace(-3, 3, PIXELS, dtype=torch.float64)
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    z = (
        3 * (1 - x) ** 2 * torch.exp(-(x**2) - (y + 1) ** 2)
        - 10 * (x / 5 - x**3 - y**5) * torch.exp(-(x**2) - y**2)
        - torch.exp(-((x + 1) ** 2) - y**2) / 3
    )
    share = (z - z.min()) / (z.max() - z.min())
    label = (share * CLASSES).long().clamp_max(CLASSES - 1)
    points, labels = torch.stack([x.flatten(), y.flatten()], dim=1), label.flatten()
    drawn = [_draw(torch.nonzero(labels == k)[:, 0], n // CLASSES, generator) for k in range(CLASSES)]
    chosen = torch.cat(drawn)
    return Labelled(points[chosen], labels[chosen])


def ellipses(n: int, *, generator: torch.Generator) -> Labelled:
    """(r cos phi, 0.4 r sin phi), r ~ U(0, 1) for class 0 and U(1, 2) for class 1, n / 2 points each."""
    half = n // 2
    labels = torch.arange(2).repeat_interleave(half)
    r = torch.rand(2 * half, generator=generator, dtype=torch.float64) + labels
    phi = 2 * math.pi * torch.rand(2 * half, generator=generator, dtype=torch.float64)
    return Labelled(torch.stack([r * phi.cos(), 0.4 * r * phi.sin()], dim=1), labels)


def swiss_roll(n: int) -> Labelled:
    """Two arms of a spiral: radius 0 ... 1 and 0.2 ... 1.2 at angle 0 ... 4 pi, n / 2 points each, nothing random."""
    half = n // 2
    phi = torch.linspace(0, 4 * math.pi, half, dtype=torch.float64)
    arms = [torch.linspace(low, low + 1, half, dtype=torch.float64) for low in (0.0, 0.2)]
    points = [torch.stack([r * phi.cos(), r * phi.sin()], dim=1) for r in arms]
    return Labelled(torch.cat(points), torch.arange(2).repeat_interleave(half))


def eight_gaussians(n: int, *, generator: torch.Generator) -> Plane:
    """Normal clouds of width 0.2 about eight points of the circle of radius 2."""
    phi = torch.randint(8, (n,), generator=generator).double() * (math.pi / 4)
    centres = 2 * torch.stack([phi.cos(), phi.sin()], dim=1)
    return centres + 0.2 * torch.randn(n, 2, generator=generator, dtype=torch.float64)


def _draw(places: Int[Tensor, " place"], n: int, generator: torch.Generator) -> Int[Tensor, " drawn"]:
    """n of the places, none twice while there are enough."""
    order = torch.randperm(len(places), generator=generator)
    return places[order.repeat(-(-n // len(places)))[:n]]
