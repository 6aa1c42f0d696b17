"""What an equation leaves of the data however true it is: the part of noise, and that of the stencils.

Both are the change of the residual when one thing is changed: noise is added to the data once more, or the stencils
are made more accurate by two orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from pdenet.discovery.collocation import Collocation
from pdenet.discovery.groups import Groups
from pdenet.discovery.normal_equations import Library, mean_square, windows
from pdenet.discovery.walled import WalledAxis
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

Change = tuple[int, Tensor, float]  # block, change of every column "column sample mode", worth of a row


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
    if not noise.any():
        return np.zeros(groups.shape)
    library = Library(field.state_names, field.axes, equation.terms, collocation, device)
    shaped = noise.reshape(field.n_runs, 1, -1, *(1,) * field.n_dims)
    noisy = replace(field, values=field.values + shaped * generator.standard_normal(field.values.shape))

    def changes() -> Iterator[Change]:
        n = 2 * library.numbers_per_sample
        pairs = (windows(data, collocation, groups, n, device, max_rows) for data in (field, noisy))
        for (block, *data), (_, *shaken) in zip(*pairs, strict=True):
            weights = library.weights(data[0])
            change = library.columns(*shaken, weights) - library.columns(*data, weights)
            yield block, change, float(mean_square(weights))

    return _power(changes(), equation, field, groups)


def stencil_residual(
    field: Field,
    equation: Equation,
    collocation: Collocation,
    groups: Groups,
    *,
    device: torch.device,
    max_rows: int | None = None,
) -> Float64[np.ndarray, "block shell"]:
    """Mean square change of the residual per row and group when the stencils of walled axes are made more accurate."""
    axes = [axis for axis in collocation.axes if isinstance(axis, WalledAxis)]
    if not axes or min(axis.n_inner for axis in axes) <= 2:
        return np.zeros(groups.shape)

    def library(accuracy: int, spare: int) -> Library:
        changed = tuple(
            replace(axis, accuracy=axis.accuracy + accuracy, spare=spare) if isinstance(axis, WalledAxis) else axis
            for axis in collocation.axes
        )
        return Library(field.state_names, field.axes, equation.terms, replace(collocation, axes=changed), device)

    plain, finer = library(0, 1), library(2, 0)  # at the same points

    def changes() -> Iterator[Change]:
        n = 2 * plain.numbers_per_sample
        for block, values, slopes in windows(field, collocation, groups, n, device, max_rows):
            weights = finer.weights(values)
            change = finer.columns(values, slopes, weights) - plain.columns(values, slopes, weights)
            yield block, change, float(mean_square(weights))

    return _power(changes(), equation, field, groups)


def _power(
    changes: Iterator[Change], equation: Equation, field: Field, groups: Groups
) -> Float64[np.ndarray, "block shell"]:
    """Mean square change of the residual of an equation, per row and group; that of all where a group shows none."""
    power, rows = np.zeros(groups.shape), np.zeros(groups.shape)
    target = len(equation.terms) + field.state_names.index(equation.variable)
    for block, change, worth in changes:
        signed = torch.tensor([-c for c in equation.coefficients], dtype=torch.float64, device=change.device)
        residual = change[target] + torch.tensordot(signed, change[: len(signed)], dims=1)
        for s, modes in enumerate(groups.members):
            part = residual[:, torch.as_tensor(modes, device=change.device)]
            power[block, s] += float(part.square().sum())
            rows[block, s] += worth * part.numel()
    mean = power.sum() / max(rows.sum(), 1.0)
    return np.where(rows > 0.0, power / np.maximum(rows, 1.0), mean)
