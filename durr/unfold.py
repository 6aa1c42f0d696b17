"""Unfolding: the restoration unit integrated by steps of length 1 until each image's own stopping time."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from backbone.endpoint import Endpoint
from backbone.gradients import Backprop
from backbone.grid import Grid
from backbone.integrate import integrate
from backbone.solve import Sequential
from durr.unit import RestorationUnit


@dataclass(frozen=True, eq=False)
class Path:
    """The images after 0, 1, 2, ... steps, "saved batch channel row col", and how many steps each image took."""

    images: Float[Tensor, "saved batch channel row col"]
    steps: Int[Tensor, " batch"]

    @property
    def last(self) -> Float[Tensor, "batch channel row col"]:
        """Each image at its stopping time."""
        return self.images[-1]


def steps_grid(n_steps: int) -> Grid:
    """n_steps steps of length 1."""
    return Grid.uniform(0.0, float(n_steps), n_steps)


def unfold(
    unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"], *, until: Endpoint | None, max_steps: int
) -> Path:
    """dX/dt = f(X), X(0) = noisy, by steps of length 1 of the unit's scheme; the path of images is kept.

    until: when each image stops; it sees the states of the unit. None takes max_steps steps.
    Sizes that the unit cannot fold are continued by reflection and cut again.
    """
    rows, columns = noisy.shape[-2:]
    start = unit.start(continued(noisy, unit.align))
    solved = integrate(unit, start, steps_grid(max_steps), unit.scheme, until=until, save="all", view=unit.image)
    return Path(solved.ys[..., :rows, :columns], solved.stopped_at.long())


def stopping_times(
    unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"], until: Endpoint, max_steps: int
) -> Int[Tensor, " batch"]:
    """After how many steps each image stops, max_steps at most; no image is kept."""
    start = unit.start(continued(noisy, unit.align))
    return integrate(unit, start, steps_grid(max_steps), unit.scheme, until=until).stopped_at.long()


def images_after(
    unit: RestorationUnit, noisy: Float[Tensor, "batch channel row col"], wanted: Set[int]
) -> dict[int, Float[Tensor, "batch channel row col"]]:
    """The images after these numbers of steps; of the path between them nothing is kept."""
    rows, columns = noisy.shape[-2:]
    start = unit.start(continued(noisy, unit.align))
    last = max(wanted)
    if last == 0:
        return {0: unit.image(start)[..., :rows, :columns]}
    states = Sequential().states(unit, start, steps_grid(last), unit.scheme, Backprop(), None)
    return {n: unit.image(state.y)[..., :rows, :columns] for n, state in enumerate(states) if n in wanted}


def continued(image: Float[Tensor, "batch channel row col"], align: int) -> Float[Tensor, "batch channel rows cols"]:
    """The image continued below and to the right until its sides are multiples of align, mirrored about its edge."""
    for dim in (-2, -1):
        length = image.shape[dim]
        missing = -length % align
        index = torch.arange(length + missing, device=image.device) % (2 * length)
        image = image.index_select(dim, torch.minimum(index, 2 * length - 1 - index))
    return image
