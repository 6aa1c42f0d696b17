"""Rivals that regression cannot tell from a term, asked again by the likelihood.

Noise in the data blurs the columns of a regression, and with them what tells two terms apart; the states of a roll-out
have none. Beside a rival a term is decided if it stays significant in the quadratic model of the misfit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from pdenet.discovery.elimination import MOST_NUMBERS, normal_matrix
from pdenet.discovery.half_spectrum import HalfSpectrum, fourier_axes
from pdenet.discovery.identifiability import UNDECIDED, Rival, separations, without
from pdenet.discovery.likelihood import Maximum, Problem
from pdenet.discovery.resolution import N_SIGMAS
from pdenet.discovery.tangent import Row
from pdenet.fields.field import Field

SHARE = 4  # as many columns as these are asked of a part of the windows that an exchange of terms would take


@dataclass(frozen=True)
class Peak:
    """Where the likelihood of a field's equations is greatest; of the roll-out there, which is large, only the start.

    free: the rows that were fitted. start: whitened states. scale: misfit per degree of freedom.
    """

    field: Field
    problem: Problem
    rows: tuple[Row, ...]
    free: tuple[int, ...]
    coefficients: Float64[Tensor, " row"]
    start: Float64[Tensor, "window state *coarse"]
    scale: float

    @classmethod
    def of(cls, field: Field, problem: Problem, maximum: Maximum) -> Peak:
        start = maximum.shooting.start
        return cls(field, problem, maximum.rows, maximum.free, maximum.coefficients, start, maximum.scale)

    def undecided(self, name: str, rivals: Sequence[Rival]) -> tuple[Rival, ...]:
        """Those of the rivals in the equation of a variable that fit as well by the likelihood, too."""
        if not rivals:
            return ()
        channel = self.field.state_names.index(name)
        present, free = list(self.rows), list(self.free)
        added = [(channel, term) for term in dict.fromkeys(rival.term for rival in rivals)]
        rows = [*present, *(row for row in added if row not in present)]
        columns = [*free, *range(len(present), len(rows))]
        values = torch.cat([self.coefficients, self.coefficients.new_zeros(len(rows) - len(present))])
        matrix = normal_matrix(self._resolving(rows), rows, values, columns, self._seen_starts(), MOST_NUMBERS // SHARE)
        place = {rows[row]: k for k, row in enumerate(columns)}

        def separation(rival: Rival) -> float:
            chosen, other = place[channel, rival.chosen], place[channel, rival.term]
            left = without(matrix, [k for k in range(len(free)) if k != chosen])
            (told,) = separations(left, len(columns), chosen, np.array([other]))
            return float(told / math.sqrt(self.scale))

        return tuple(rival for rival in rivals if separation(rival) <= UNDECIDED)

    def _seen_starts(self) -> Float64[Tensor, "window state *coarse"]:
        """Starting states without waves that are no stronger than their noise: these would tell all terms apart."""
        spectrum = self.problem.spectrum
        modes = spectrum.to_modes(self.start)
        by_noise = modes.abs().square().mean(dim=0) * math.prod(spectrum.coarse_shape)
        return spectrum.to_values(torch.where(by_noise > 1.0 + N_SIGMAS / math.sqrt(len(self.start)), modes, 0.0))

    def _resolving(self, rows: Sequence[Row]) -> Problem:
        """The problem with products fine enough for these terms."""
        field, spectrum = self.field, self.problem.spectrum
        degree = max(term.degree for _, term in rows)
        axes = fourier_axes(field, tuple(axis.cutoff for axis in spectrum.axes), degree)
        return replace(self.problem, spectrum=HalfSpectrum(field.state_names, field.axes, axes, spectrum.device))
