"""Roll-outs against closed forms and the independent solver."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbone.errors import Diverged
from pdenet.discovery.rollout import choose_substeps, equations_of, fourier_axes, roll_out, to_modes, to_values
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

CPU = torch.device("cpu")


def equation(text: dict[str, float], name: str = "u") -> Equation:
    return Equation(f"{name}_t", tuple(Term.parse(term) for term in text), tuple(text.values()))


def rolled(field: Field, system: list[Equation], cutoffs: tuple[int, ...], substeps: int) -> np.ndarray:
    axes = fourier_axes(field, cutoffs, 2)
    start = to_modes(torch.as_tensor(field.values[:, 0]), axes)
    dynamics = equations_of(system, field.axes, axes, CPU)
    return to_values(roll_out(dynamics, start, field.dt, field.n_times - 1, substeps), axes).numpy()


def test_linear_equation_is_solved_exactly(advection: Field) -> None:
    truth = equation({"u_x": -0.8, "u_y": -0.5, "u_xx": 0.1, "u_yy": 0.1})
    found = rolled(advection, [truth], (4, 4), substeps=1)
    # the exponential is exact: rounding of 11 steps on values of size ten
    np.testing.assert_allclose(found, np.moveaxis(advection.values, 1, 0), atol=1e-12)


def test_burgers_agrees_with_the_solver(burgers: Field) -> None:
    found = rolled(burgers, [equation({"u*u_x": -1.0, "u_xx": 0.1})], (20,), substeps=4)
    # the solver's own tolerance is 1e-8; modes above 20 hold about 1e-6
    np.testing.assert_allclose(found, np.moveaxis(burgers.values, 1, 0), atol=1e-5)


def test_gradient_reaches_the_coefficients(burgers: Field) -> None:
    axes = fourier_axes(burgers, (8,), 2)
    start = to_modes(torch.as_tensor(burgers.values[:2, 0]), axes)
    dynamics = equations_of([equation({"u*u_x": -1.0, "u_xx": 0.1})], burgers.axes, axes, CPU)
    values = dynamics.coefficients

    def loss(coefficients: torch.Tensor) -> torch.Tensor:
        system = type(dynamics)(dynamics.names, dynamics.letters, axes, dynamics.supports, coefficients)
        return roll_out(system, start, 0.02, 3, 1)[-1].abs().square().sum()

    assert torch.autograd.gradcheck(loss, values.clone().requires_grad_())


def test_substeps_grow_until_nothing_changes(burgers: Field) -> None:
    axes = fourier_axes(burgers, (16,), 2)
    start = to_modes(torch.as_tensor(burgers.values[:, 0]), axes)
    dynamics = equations_of([equation({"u*u_x": -1.0, "u_xx": 0.1})], burgers.axes, axes, CPU)
    assert choose_substeps(dynamics, start, 0.02, 1e-3) <= choose_substeps(dynamics, start, 0.02, 1e-9)
    bad = equations_of([equation({"u_xx": -50.0, "u**2": 1.0})], burgers.axes, axes, CPU)
    with pytest.raises(Diverged):
        choose_substeps(bad, start, 2.0, 1e-6)
