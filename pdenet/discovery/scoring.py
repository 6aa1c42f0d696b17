"""How well equations foretell data: by running them forward, or where that cannot be done, by the time derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float64

from backbone.errors import Diverged
from pdenet.discovery.collocation import PeriodicAxis
from pdenet.discovery.groups import Groups
from pdenet.discovery.half_spectrum import FourierAxis, HalfSpectrum, fourier_axes
from pdenet.discovery.holdout import Split
from pdenet.discovery.ladder import Rung
from pdenet.discovery.normal_equations import assemble
from pdenet.discovery.resolution import seen_wave_numbers
from pdenet.discovery.rollout import GalerkinEquations, choose_substeps, equations_of, roll_out
from pdenet.discovery.select import residual_power
from pdenet.discovery.velocities import with_velocities
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

HORIZON = 10  # snapshots rolled out from each start
ROLLOUT_MODES = 40_000  # Fourier modes rolled out together, over all starts
SLOPE_ROWS = 60_000
SUBSTEP_TOLERANCE = 1e-6
FINE_TOLERANCE = 1e-8  # where clean data decide between coefficients that differ by less
BELOW_NOISE = 0.1  # of the noise: no finer, for waves of noise turn too fast for any number of steps

System = Mapping[str, Equation]
Measure = Literal["roll-out", "time derivative"]


@runtime_checkable
class Scorer(Protocol):
    """Scores a system of equations on some data."""

    def error(self, system: System, name: str) -> float:
        """Relative error of the system where the equation of `name` is the one in question; inf if it blows up."""
        ...


class RollOuts:
    """Runs systems forward over stretches of `n_steps` of the data, from the first snapshot of each.

    first: a system whose time steps serve the others too. tolerance: relative error of these.
    """

    def __init__(
        self,
        data: Field,
        axes: Sequence[FourierAxis],
        n_steps: int,
        first: System,
        device: torch.device,
        tolerance: float = SUBSTEP_TOLERANCE,
    ) -> None:
        self._tolerance = tolerance
        self.axes = tuple(axes)
        self._spectrum = HalfSpectrum(data.names, data.axes, axes, device)
        self._dt = data.dt
        starts = range(0, data.n_times - n_steps, n_steps)
        pieces = [data.values[run, start : start + n_steps + 1] for start in starts for run in range(data.n_runs)]
        n_modes = int(np.prod(self._spectrum.coarse_shape)) * len(data.names)
        stride = -(-len(pieces) * n_modes // ROLLOUT_MODES)
        values = torch.as_tensor(np.stack(pieces[::stride], axis=1), device=device)
        self._modes = self._spectrum.to_modes(values)
        # what the modes leave out would be an error of the resolution, not of the equation
        self._truth = self._spectrum.to_values(self._modes)
        self._spread = _by_channel(values - values.mean(dim=(0, 1, *range(3, values.ndim)), keepdim=True)).mean(dim=0)
        self._substeps = self._choose_substeps(first)

    def _choose_substeps(self, system: System) -> int | None:
        """Time steps within a snapshot that are fine enough for a system; None if it blows up."""
        try:
            return choose_substeps(self._equations(system), self._modes[0], self._dt, self._tolerance)
        except Diverged:
            return None

    def _equations(self, system: System) -> GalerkinEquations:
        rows = [system[name] if name in system else Equation.of_motion(name) for name in self._spectrum.names]
        return equations_of(rows, self._spectrum)

    def errors(self, system: System) -> list[float]:
        """Error at each snapshot: per variable the mean square miss over the variance, averaged, and the root of it."""
        n_steps = len(self._modes) - 1
        substeps = self._substeps or self._choose_substeps(system)
        if substeps is None:
            return [float("inf")] * n_steps
        try:
            states = roll_out(self._equations(system), self._modes[0], self._dt, n_steps, substeps)
        except Diverged:
            return [float("inf")] * n_steps
        miss = _by_channel(self._spectrum.to_values(states) - self._truth)[1:]
        return (miss / self._spread.clamp(min=1e-300)).mean(dim=1).sqrt().tolist()

    def error(self, system: System, name: str) -> float:
        """Root mean square of `errors`."""
        return root_mean_square(self.errors(system))


class Slopes:
    """Compares the right-hand side of an equation with the time derivative of the data."""

    def __init__(self, data: Field, found: Mapping[str, Rung], device: torch.device) -> None:
        self._equations = {}
        for name, rung in found.items():
            window = rung.collocation.window
            width, degree = min(window.width, data.n_times), min(window.degree, data.n_times - 1)
            narrowed = replace(rung.collocation, window=replace(window, width=width, degree=degree))
            terms = tuple(dict.fromkeys((*rung.front.terms, *rung.chosen.terms)))
            groups = Groups.of(data, narrowed, len(terms) + len(data.state_names))
            self._equations[name] = assemble(data, terms, narrowed, groups, device=device, max_rows=SLOPE_ROWS)

    def error(self, system: System, name: str) -> float:
        """Root of the mean square residual over the mean square of the time derivative; nan if gaps leave none."""
        equations, equation = self._equations[name], system[name]
        if not equations.rows.any():
            return float("nan")
        target = equations.target(name)
        places = tuple(equations.terms.index(term) for term in equation.terms)
        left = residual_power(equations.gram, target, places, np.array(equation.coefficients)).sum()
        return float(np.sqrt(left / max(equations.gram[..., target, target].sum(), 1e-300)))


@dataclass(frozen=True)
class Scorers:
    """What scores the candidates on the data that they were learnt from, and on those held out, if any were."""

    insample: Scorer
    heldout: Scorer | None
    measure: Measure


def make_scorers(
    split: Split,
    found: Mapping[str, Rung],
    noise: Float64[np.ndarray, "run channel"],
    *,
    coarse: bool,
    device: torch.device,
) -> Scorers:
    """Roll-outs of equal length on both parts where that can be done, else the time derivative.

    noise: of the data to learn from. coarse: snapshots are so far apart that wave numbers too fast for polynomials in
    time are none for a roll-out.
    """
    seen = seen_wave_numbers(split.train, noise) if coarse and not split.train.has_gaps else None
    axes = _rollout_axes(split.train, found, seen)
    chosen = {name: rung.chosen for name, rung in found.items()}
    parts = [part for part in (split.train, split.held) if part is not None]
    n_steps = min(HORIZON, *(part.n_times - 1 for part in parts))

    def scorer(data: Field) -> Scorer:
        if axes is None:
            return Slopes(data, found, device)
        tolerance = fine_tolerance(data, noise) if coarse else SUBSTEP_TOLERANCE
        return RollOuts(with_velocities(data), axes, n_steps, chosen, device, tolerance)

    return Scorers(
        insample=scorer(split.train),
        heldout=None if split.held is None else scorer(split.held),
        measure="time derivative" if axes is None else "roll-out",
    )


def fine_tolerance(data: Field, noise: Float64[np.ndarray, "run channel"]) -> float:
    """Change of a state by more time steps, over its size, that is small for data with this noise."""
    return max(FINE_TOLERANCE, BELOW_NOISE * float(np.sqrt(np.mean(noise**2) / np.nanmean(data.values**2))))


def _rollout_axes(data: Field, found: Mapping[str, Rung], seen: Sequence[int] | None) -> tuple[FourierAxis, ...] | None:
    """The axes to roll out on, with all wave numbers seen, or those resolved; None where one is not
    periodic, or inputs change in ways that no equation says."""
    operators = [rung.collocation.axes for rung in found.values()]
    if data.known or not all(isinstance(axis, PeriodicAxis) for axes in operators for axis in axes):
        return None
    cutoffs = seen or [max(axes[k].cutoff for axes in operators) for k in range(data.n_dims)]
    degrees = [term.degree for rung in found.values() for term in (*rung.front.terms, *rung.chosen.terms)]
    return fourier_axes(data, cutoffs, max(degrees, default=1))


def root_mean_square(errors: Sequence[float]) -> float:
    """Of the errors of a roll-out; nan of none."""
    return float(np.sqrt(np.mean(np.square(errors)))) if errors else float("nan")


def _by_channel(values: Float64[torch.Tensor, "time batch channel *space"]) -> Float64[torch.Tensor, "time channel"]:
    """Mean square over the batch and space."""
    return values.square().mean(dim=(1, *range(3, values.ndim)))
