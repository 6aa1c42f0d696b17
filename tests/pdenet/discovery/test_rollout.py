"""Roll-outs against closed forms and the independent solver."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from backbone.errors import Diverged
from pdenet.discovery.half_spectrum import HalfSpectrum, fourier_axes
from pdenet.discovery.rollout import GalerkinEquations, choose_substeps, doubled, equations_of, roll_out
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

CPU = torch.device("cpu")


def equation(text: dict[str, float], name: str = "u") -> Equation:
    return Equation(f"{name}_t", tuple(Term.parse(term) for term in text), tuple(text.values()))


def spectrum_of(field: Field, *cutoffs: int) -> HalfSpectrum:
    return HalfSpectrum(field.names, field.axes, fourier_axes(field, cutoffs, 3), CPU)


def rolled(field: Field, system: list[Equation], cutoffs: tuple[int, ...], substeps: int) -> tuple[np.ndarray, ...]:
    """The states of a roll-out, and of the field, on the coarse grid of these cutoffs: "time run channel *point"."""
    spectrum = spectrum_of(field, *cutoffs)
    truth = spectrum.to_modes(torch.as_tensor(np.moveaxis(field.values, 1, 0)))
    found = roll_out(equations_of(system, spectrum), truth[0], field.dt, field.n_times - 1, substeps)
    return spectrum.to_values(found).numpy(), spectrum.to_values(truth).numpy()


def by_numpy(values: np.ndarray, dx: tuple[float, float], cutoffs: tuple[int, int], t: float, n: int) -> np.ndarray:
    """u_t = v*u_x - 0.7*v + 0.05*u_xx + 0.4, v_t = -u**2*v_y + 0.06*v_yy + 0.3*u_x by classical Runge-Kutta.

    On a grid so fine that no product is aliased.
    """
    rows, cols = values.shape[-2:]
    ky = np.fft.fftfreq(rows, dx[0] / (2 * np.pi))[:, None]
    kx = np.fft.fftfreq(cols, dx[1] / (2 * np.pi))
    kept = (np.abs(np.fft.fftfreq(rows, 1 / rows))[:, None] <= cutoffs[0]) & (
        np.abs(np.fft.fftfreq(cols, 1 / cols)) <= cutoffs[1]
    )

    def slope(modes: np.ndarray) -> np.ndarray:
        u, v, u_x, v_y, u_xx, v_yy = (
            np.fft.ifft2(m).real
            for m in (*modes, 1j * kx * modes[0], 1j * ky * modes[1], -(kx**2) * modes[0], -(ky**2) * modes[1])
        )
        new = np.stack([v * u_x - 0.7 * v + 0.05 * u_xx + 0.4, -(u**2) * v_y + 0.06 * v_yy + 0.3 * u_x])
        return np.where(kept, np.fft.fft2(new), 0)

    modes, h = np.where(kept, np.fft.fft2(values), 0), t / n
    for _ in range(n):
        a = slope(modes)
        b = slope(modes + h / 2 * a)
        c = slope(modes + h / 2 * b)
        modes = modes + h / 6 * (a + 2 * b + 2 * c + slope(modes + h * c))
    return np.fft.ifft2(modes).real


def test_linear_equation_is_solved_exactly(advection: Field) -> None:
    truth = equation({"u_x": -0.8, "u_y": -0.5, "u_xx": 0.1, "u_yy": 0.1})
    found, whole = rolled(advection, [truth], (4, 4), substeps=1)
    # the exponential is exact: rounding of 11 steps on values of size ten
    np.testing.assert_allclose(found, whole, atol=1e-12)


def test_burgers_agrees_with_the_solver(burgers: Field) -> None:
    found, truth = rolled(burgers, [equation({"u*u_x": -1.0, "u_xx": 0.1})], (20,), substeps=4)
    # the solver's own tolerance is 1e-8; modes above 20 hold about 1e-6
    np.testing.assert_allclose(found, truth, atol=1e-5)


@pytest.mark.parametrize("n_runs", [1, 3])
def test_coupled_products_in_two_dimensions_agree_with_another_solver(n_runs: int) -> None:
    fine, dx, cutoffs = 48, (0.2, 0.15), (3, 4)
    start = 4.0 * np.random.default_rng(0).standard_normal((n_runs, 2, fine, fine))
    end = np.stack([by_numpy(run, dx, cutoffs, 0.3, 300) for run in start])
    field = Field(
        values=np.stack([start, end], axis=1), dt=0.3, dx=dx, names=("u", "v"), boundary=("periodic", "periodic")
    )
    first = equation({"v*u_x": 1.0, "v": -0.7, "u_xx": 0.05, "1": 0.4})
    second = equation({"u**2*v_y": -1.0, "v_yy": 0.06, "u_x": 0.3}, "v")
    found, truth = rolled(field, [first, second], cutoffs, substeps=300)
    np.testing.assert_allclose(found, truth, rtol=0, atol=1e-10)  # of steps of fourth order, of both


def test_gradient_reaches_the_coefficients(burgers: Field) -> None:
    spectrum = spectrum_of(burgers, 8)
    start = spectrum.to_modes(torch.as_tensor(burgers.values[:2, 0]))
    dynamics = equations_of([equation({"u*u_x": -1.0, "u_xx": 0.1})], spectrum)
    values = dynamics.coefficients

    def loss(coefficients: torch.Tensor) -> torch.Tensor:
        system = GalerkinEquations(spectrum, dynamics.supports, coefficients)
        return roll_out(system, start, 0.02, 3, 1)[-1].abs().square().sum()

    assert torch.autograd.gradcheck(loss, values.clone().requires_grad_())


def test_doubled_runs_pair_up_and_leave_out_what_diverges() -> None:
    seen = []

    def run(n: int) -> torch.Tensor:
        seen.append(n)
        if n == 12:
            raise Diverged(n, 0.0)
        return torch.tensor(float(n))

    assert [(n, float(a), float(b)) for n, a, b in doubled(run, 3, 100)] == [(3, 3, 6), (24, 24, 48), (48, 48, 96)]
    assert seen == [3, 6, 12, 24, 48, 96]  # each run once


def test_substeps_grow_until_nothing_changes(burgers: Field) -> None:
    spectrum = spectrum_of(burgers, 16)
    start = spectrum.to_modes(torch.as_tensor(burgers.values[:, 0]))
    dynamics = equations_of([equation({"u*u_x": -1.0, "u_xx": 0.1})], spectrum)
    assert choose_substeps(dynamics, start, 0.02, 1e-3) <= choose_substeps(dynamics, start, 0.02, 1e-9)
    bad = equations_of([equation({"u_xx": -50.0, "u**2": 1.0})], spectrum)
    with pytest.raises(Diverged):
        choose_substeps(bad, start, 2.0, 1e-6)
