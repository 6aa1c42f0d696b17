"""Stretches of the data for shooting: resolved waves only, in units of their noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from pdenet.discovery.half_spectrum import HalfSpectrum
from pdenet.discovery.velocities import with_velocities
from pdenet.fields.field import Field


@dataclass(frozen=True)
class Windows:
    """Values of stretches of snapshots on the coarse grid, whitened: independent noise of deviation one.

    values: of what was measured, "time window channel *coarse". start: a guess of the whole state at the first
    snapshot, velocities that were not measured behind the others. unit: the deviation of the noise there,
    "window state *one", so that values * unit are those of the data.
    """

    values: Float64[Tensor, "time window channel *coarse"]
    start: Float64[Tensor, "window state *coarse"]
    unit: Float64[Tensor, "window state *one"]
    dt: float

    @classmethod
    def cut(
        cls, field: Field, noise: Float64[np.ndarray, "run channel"], n_times: int, spectrum: HalfSpectrum
    ) -> Windows:
        """Whole runs cut into stretches of `n_times` snapshots; what is left at the end of a run is not used.

        Low-passing n points to m keeps m/n of the variance of white noise, and keeps it white.
        """
        starts = range(0, field.n_times - n_times + 1, n_times)
        states = with_velocities(field).values
        pieces = [states[:, start : start + n_times] for start in starts]
        values = torch.as_tensor(np.moveaxis(np.concatenate(pieces), 1, 0), device=spectrum.device)
        kept = np.prod(spectrum.coarse_shape) / np.prod(field.space_shape)
        # velocities have no noise of their own to be measured in: that of the values serves
        unit = torch.as_tensor(np.tile(noise * np.sqrt(kept), (len(pieces), field.time_order)), device=spectrum.device)
        unit = unit.reshape(*unit.shape, *(1,) * field.n_dims)
        whitened = spectrum.to_values(spectrum.to_modes(values)) / unit
        return cls(whitened[:, :, : len(field.names)], whitened[0], unit, field.dt)

    def __len__(self) -> int:
        return self.values.shape[1]

    @property
    def n_times(self) -> int:
        """Snapshots of each window."""
        return self.values.shape[0]

    @property
    def n_freedoms(self) -> int:
        """Observations less the starting values."""
        return self.values.numel() - self.start.numel()

    def measured(self, values: Float64[Tensor, "*batch_window_state_coarse"]) -> Float64[Tensor, "*batch_measured"]:
        """What is measured of states "... window state *coarse", in units of noise."""
        return (values / self.unit).narrow(1 - self.unit.ndim, 0, self.values.shape[2])

    def thinned(self, most: int) -> Windows:
        """At most so many of the windows, evenly spread, and at least one."""
        every = -(-len(self) // max(most, 1))
        return self if every == 1 else self.some(slice(None, None, every))

    def some(self, chosen: Sequence[int] | slice) -> Windows:
        """Some of the windows."""
        return Windows(self.values[:, chosen], self.start[chosen], self.unit[chosen], self.dt)
