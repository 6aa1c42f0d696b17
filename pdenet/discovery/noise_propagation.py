"""What measurement noise alone would leave as residual of an equation, by adding noise to the data once more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64

from pdenet.discovery.collocation import Collocation
from pdenet.discovery.groups import Groups
from pdenet.discovery.normal_equations import Library, windows
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field


def noise_residual(
    field: Field,
    equation: Equation,
    noise: Float64[np.ndarray, "run channel"],
    collocation: Collocation,
    groups: Groups,
    *,
    generator: np.random.Generator,
    device: torch.device,
    max_rows: int | None = None,
) -> Float64[np.ndarray, "block shell"]:
    """Variance per row and group of the change of the residual under fresh noise of the given standard deviations.

    Through the products as well as the time derivative: this is the part of the misfit that no equation can remove.
    """
    variance = np.zeros(groups.shape)
    if not noise.any():
        return variance
    rows = np.zeros_like(variance)
    library = Library(field.names, field.axes, equation.terms, collocation, device)
    signed = torch.tensor([-c for c in equation.coefficients], dtype=torch.float64, device=device)
    target = len(equation.terms) + field.names.index(equation.variable)
    shaped = noise.reshape(field.n_runs, 1, -1, *(1,) * field.n_dims)
    noisy = replace(field, values=field.values + shaped * generator.standard_normal(field.values.shape))
    pairs = (windows(f, collocation, groups, 2 * library.numbers_per_sample, device, max_rows) for f in (field, noisy))
    for (block, *data), (_, *shaken) in zip(*pairs, strict=True):
        change = library.columns(*shaken) - library.columns(*data)
        seen = library.seen(data[0])
        residual = (change[target] + torch.tensordot(signed, change[: len(signed)], dims=1)) * seen
        for s, modes in enumerate(groups.members):
            chosen = torch.as_tensor(modes, device=device)
            variance[block, s] += float((residual[:, chosen] ** 2).sum())
            rows[block, s] += int(seen[:, chosen].sum())
    return variance / np.maximum(rows, 1.0)
