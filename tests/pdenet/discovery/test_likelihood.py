"""Maximum likelihood by multiple shooting: exact derivatives, errors at the bound, terms by significance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from pdenet.discovery.cramer_rao import cramer_rao_bound
from pdenet.discovery.elimination import eliminate, limit, unexplained
from pdenet.discovery.half_spectrum import HalfSpectrum, fourier_axes
from pdenet.discovery.lengthening import lengthen
from pdenet.discovery.likelihood import Maximum, Problem, maximise
from pdenet.discovery.rollout import GalerkinEquations, roll_out
from pdenet.discovery.tangent import RollOut, Row, System
from pdenet.discovery.windows import Windows
from pdenet.equations.equation import Equation
from pdenet.equations.terms import Term
from pdenet.fields.field import Field

CPU = torch.device("cpu")
BURGERS = (Equation.parse("u_t = -1.0*u*u_x + 0.1*u_xx"),)


def rows(*equations: str) -> list[Row]:
    return [(channel, Term.parse(term)) for channel, text in enumerate(equations) for term in text.split()]


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def noisy(field: Field, deviation: float, seed: int) -> tuple[Field, np.ndarray]:
    generator = np.random.default_rng(seed)
    values = field.values + deviation * generator.standard_normal(field.values.shape)
    return replace(field, values=values), np.full((field.n_runs, len(field.names)), deviation)


def plane(n: int = 12, n_runs: int = 2) -> tuple[Field, HalfSpectrum]:
    """Random smooth states of two variables in two dimensions, and their transforms."""
    generator = np.random.default_rng(0)
    shape = (n_runs, 1, 2, n, n)
    field = Field(
        values=generator.standard_normal(shape),
        dt=0.02,
        dx=(0.5, 0.4),
        names=("u", "v"),
        boundary=("periodic", "periodic"),
    )
    return field, HalfSpectrum(field.names, field.axes, fourier_axes(field, (3, 4), 3), CPU)


SYSTEM = rows("u*u_x v*u_y u_xx u_x v_y 1 u**2*v", "u*v_x v*v_y v_yy u v_xxx")
VALUES = numbers(-1.0, -0.7, 0.05, 0.3, -0.2, 0.4, -0.1, -1.1, 0.8, 0.06, 0.3, 0.01)


def rolled(start: torch.Tensor, values: torch.Tensor = VALUES) -> RollOut:
    spectrum = plane()[1]
    return RollOut(System(spectrum, SYSTEM, VALUES * 1.1), values, spectrum.to_modes(start), 0.02, 3, 2)


def coarse_start() -> torch.Tensor:
    field, spectrum = plane()
    return spectrum.to_values(spectrum.to_modes(torch.as_tensor(field.values[:, 0])))


def test_half_spectrum_keeps_what_it_resolves() -> None:
    field, spectrum = plane()
    coarse = coarse_start()
    torch.testing.assert_close(spectrum.to_values(spectrum.to_modes(coarse)), coarse, rtol=0, atol=1e-13)
    # the same low-passed field by numpy, seen on the data's grid
    values = torch.as_tensor(field.values[:, 0])
    kept = np.multiply.outer(*(np.abs(np.fft.fftfreq(12, 1 / 12)) <= axis.cutoff for axis in spectrum.axes))
    low = torch.as_tensor(np.fft.ifft2(np.where(kept, np.fft.fft2(values.numpy()), 0)).real)
    torch.testing.assert_close(spectrum.to_modes(low), spectrum.to_modes(values), rtol=0, atol=1e-13)


def test_recorded_roll_out_agrees_with_the_plain_one() -> None:
    field, spectrum = plane()
    supports = [[term for channel, term in SYSTEM if channel == c] for c in range(2)]
    start = spectrum.to_modes(torch.as_tensor(field.values[:, 0]))
    plain = roll_out(GalerkinEquations(spectrum, supports, VALUES), start, 0.02, 3, 8)
    recorded = RollOut(System(spectrum, SYSTEM, VALUES * 1.1), VALUES, start, 0.02, 3, 8)
    # the symbol differs by a tenth between the two, so the errors of the time steps do: 24 steps of fourth order
    torch.testing.assert_close(recorded.states, plain, rtol=0, atol=1e-5)


def test_tangents_are_the_derivatives() -> None:
    start = coarse_start()
    spectrum = plane()[1]
    base = rolled(start)
    direction = torch.as_tensor(np.random.default_rng(1).standard_normal(start.shape))
    step = 1e-6
    moved = rolled(start + step * direction).states - rolled(start - step * direction).states
    # central differences: their error is step^2, their rounding 1e-16 / step
    torch.testing.assert_close(base.tangent(spectrum.to_modes(direction)), moved / (2 * step), rtol=1e-7, atol=1e-7)
    forced = base.forced(range(len(SYSTEM))).unflatten(1, (len(SYSTEM), -1))
    for k in range(len(SYSTEM)):
        nudge = step * torch.eye(len(SYSTEM), dtype=torch.float64)[k]
        moved = rolled(start, VALUES + nudge).states - rolled(start, VALUES - nudge).states
        torch.testing.assert_close(forced[:, k], moved / (2 * step), rtol=1e-7, atol=1e-7)


def test_tangent_and_its_transpose_are_adjoint() -> None:
    spectrum = plane()[1]
    base = rolled(coarse_start())
    generator = np.random.default_rng(2)
    change = torch.as_tensor(generator.standard_normal(coarse_start().shape)).requires_grad_()
    image = spectrum.to_values(base.tangent(spectrum.to_modes(change)))
    other = torch.as_tensor(generator.standard_normal(tuple(image.shape)))
    (back,) = torch.autograd.grad(image, change, other)
    # two sums of the same products in another order
    there, here = (other * image).sum().detach(), (back * change).sum().detach()
    assert float(here) == pytest.approx(float(there), rel=1e-12)


def test_whitened_windows_have_unit_noise() -> None:
    field, spectrum = plane(n_runs=400)
    windows = Windows.cut(field, np.ones((400, 2)), 1, spectrum)
    # 400 * 2 * 63 independent numbers: the variance is within five of its deviations sqrt(2 / n)
    assert float(windows.values.square().mean()) == pytest.approx(1.0, abs=5 * np.sqrt(2 / windows.values.numel()))


def cut(field: Field, noise: np.ndarray, *, cutoff: int, n_times: int) -> Problem:
    spectrum = HalfSpectrum(field.names, field.axes, fourier_axes(field, (cutoff,), 2), CPU)
    return Problem(spectrum, Windows.cut(field, noise, n_times, spectrum))


def fitted(field: Field, noise: np.ndarray, terms: list[Row], values: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    problem = cut(field, noise, cutoff=16, n_times=field.n_times).with_steps_for(terms, values)
    maximum = maximise(problem, terms, values, range(len(terms)), problem.windows.values[0])
    assert maximum.converged
    # the noise is what it was said to be, within five deviations of the misfit
    assert maximum.scale == pytest.approx(1.0, abs=5 * np.sqrt(2 / maximum.n_freedoms))
    return maximum.coefficients.numpy(), maximum.covariance.numpy()


def test_errors_are_those_of_the_bound_and_cover_the_truth(burgers: Field) -> None:
    truth = np.array(BURGERS[0].coefficients)
    deviation = 0.05 * float(burgers.values.std())
    few = burgers.select(runs=[0, 1])
    bound = cramer_rao_bound(few, BURGERS, np.full((2, 1), deviation), device=CPU)
    misses = []
    for seed in range(4):
        data, noise = noisy(few, deviation, seed)
        found, covariance = fitted(data, noise, rows("u*u_x u_xx"), numbers(-0.8, 0.13))
        # estimated errors are made from noisy states: a few percent of noise move them by no more than that
        np.testing.assert_allclose(covariance, bound, rtol=0.2)
        misses.append(found - truth)
    # the mean square of 8 standard normal numbers is below 1 + 4 sqrt(2 / 8)
    size = np.mean([miss @ np.linalg.solve(bound, miss) / 2 for miss in misses])
    assert size < 1 + 4 * np.sqrt(2 / 8)


def test_terms_of_a_maximum_that_was_not_reached_are_tried_again(burgers: Field) -> None:
    data, noise = noisy(burgers, 0.05 * float(burgers.values.std()), 0)
    terms, values = rows("u*u_x u_xx u_x"), numbers(-1.0, 0.1, 0.06)
    problem = cut(data, noise, cutoff=16, n_times=data.n_times).with_steps_for(terms, values)
    # stopped on the way: the last coefficient is wrong, by more than chance and than what is left unexplained
    held = maximise(problem, terms, values, [0, 1], problem.windows.start)
    stopped = replace(held, free=(0, 1, 2), converged=False, quadratic=held.shooting.linearised([0, 1, 2], None))
    assert float(stopped.significance.min()) ** 2 > max(limit(20) ** 2, unexplained(stopped))
    assert eliminate(problem, stopped, 20).rows == tuple(terms[:2])
    assert eliminate(problem, replace(stopped, converged=True), 20).rows == tuple(terms)


@pytest.mark.parametrize(("correlation", "entangled"), [(0.8, False), (0.9, True)])
def test_terms_are_entangled_where_others_inflate_their_variance_fivefold(
    burgers: Field, correlation: float, *, entangled: bool
) -> None:
    data, noise = noisy(burgers.select(runs=[0]), 0.05 * float(burgers.values.std()), 0)
    problem = cut(data, noise, cutoff=8, n_times=4)
    maximum = maximise(problem, rows("u*u_x u_xx"), numbers(-1.0, 0.1), [0, 1], problem.windows.start)
    assert not maximum.is_entangled
    # inflation 1 / (1 - correlation^2), whatever the units of the two: 2.8 and 5.3
    information = torch.tensor([[1.0, 10.0 * correlation], [10.0 * correlation, 100.0]], dtype=torch.float64)
    assert replace(maximum, quadratic=replace(maximum.quadratic, information=information)).is_entangled == entangled


def test_longer_windows_take_time_steps_of_their_own(burgers: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    data, noise = noisy(burgers.select(runs=[0]), 0.05 * float(burgers.values.std()), 0)
    terms, values = rows("u*u_x u_xx"), numbers(-1.0, 0.1)
    problem = replace(cut(data, noise, cutoff=8, n_times=6), n_substeps=16)  # as terms that have gone called for
    taken = []

    def seen(longer: Problem, *arguments: object) -> Maximum:
        taken.append((longer.windows.n_times, longer.n_substeps))
        return maximise(longer, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("pdenet.discovery.lengthening.maximise", seen)
    lengthen(problem, maximise(problem, terms, values, [0, 1], problem.windows.start), data, noise, 20)
    assert taken == [(12, 1)]
