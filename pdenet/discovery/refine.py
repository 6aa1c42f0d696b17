"""Coefficients refined by shooting: the equation itself is run from snapshot to snapshot and fitted to where they lead.

Collocation differentiates polynomials in time, so snapshots far apart bias it. Shooting has no such error: with
y(t; c) the roll-out from a measured snapshot, it minimises  sum_k w_k |y_k(t_n; c) - u_k(t_n)|^2  over the coefficients
c by Gauss-Newton, k the Fourier modes and w_k the inverse variance of the misfit in their shell. The snapshots are
taken as exact starts: this is for clean data that are coarse in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Complex128, Float64
from torch import Tensor

from pdenet.discovery.half_spectrum import FourierAxis, HalfSpectrum
from pdenet.discovery.rollout import MAX_SUBSTEPS, GalerkinEquations, doubled, equations_of, roll_out
from pdenet.equations.equation import Equation
from pdenet.fields.field import Field

N_STEPS = 1  # snapshots per shot
MAX_MODES = 4_000  # Fourier modes shot together: data clean enough for this leave no need of more
N_PLAIN = 3  # iterations that weigh all modes alike: far from the answer the misfit tells nothing of their worth
MAX_ITERATIONS = 9
DIFFERENCE = 1e-5  # step of the central differences, relative to each coefficient
STEP_ERROR = 0.3  # of all time steps together in units of the misfit's spread: it moves a coefficient by less errors
CONVERGED = 0.05  # change of the coefficients in units of their standard errors


def refine(
    field: Field,
    equations: Sequence[Equation],
    axes: Sequence[FourierAxis],
    free: Bool[np.ndarray, " coefficient"],
    *,
    device: torch.device,
) -> tuple[tuple[Equation, ...], Float64[np.ndarray, "coefficient coefficient_"]]:
    """The same terms with refined coefficients and the standard errors of the fit, and the covariance of all of them.

    free: which coefficients are fitted; the others stay, without an error.
    Raises Diverged if the equations cannot be run from the snapshots of the field.
    """
    spectrum = HalfSpectrum([equation.variable for equation in equations], field.axes, axes, device)
    shooting = _Shooting(field, equations, spectrum)
    coefficients = equations_of(equations, spectrum).coefficients
    fitted = torch.as_tensor(np.flatnonzero(free), device=device)
    for k in range(MAX_ITERATIONS):
        if k in (0, N_PLAIN, N_PLAIN + 1):  # with the first weights the misfit falls, and finer steps are called for
            n_substeps = shooting.steps_for(coefficients)
        residual, jacobian = shooting.linearised(coefficients, n_substeps, weighted=k >= N_PLAIN)
        jacobian = jacobian[:, fitted]
        normal = jacobian.T @ jacobian
        step = torch.linalg.solve(normal, jacobian.T @ residual)
        coefficients = coefficients.index_add(0, fitted, -step)
        # the weights make the variance of every row one
        inverse = torch.linalg.inv(normal)
        if k >= N_PLAIN and float((step / inverse.diagonal().sqrt()).abs().max()) < CONVERGED:
            break
    covariance = np.zeros((len(free), len(free)))
    covariance[np.ix_(free, free)] = inverse.cpu().numpy()
    return _with(equations, coefficients.tolist(), np.sqrt(np.diag(covariance)).tolist()), covariance


class _Shooting:
    """The misfit of shots and its derivatives by the coefficients, in units of each shell's spread."""

    def __init__(self, field: Field, equations: Sequence[Equation], spectrum: HalfSpectrum) -> None:
        self._snapshots = _shots(field, spectrum)
        self._shell = _shells(spectrum)
        self._spectrum, self._dt = spectrum, field.dt
        self._supports = [equation.terms for equation in equations]

    def _system(self, coefficients: Float64[Tensor, " term *batch"]) -> GalerkinEquations:
        return GalerkinEquations(self._spectrum, self._supports, coefficients)

    def _miss(
        self, coefficients: Float64[Tensor, "copy term"], n_substeps: int
    ) -> Complex128[Tensor, "step copy sample channel *mode"]:
        """Where shots by several sets of coefficients lead, minus the snapshots there; one roll-out for all."""
        n_copies, n_samples = len(coefficients), self._snapshots.shape[1]
        start = self._snapshots[0].repeat(n_copies, *(1,) * (self._snapshots.ndim - 2))
        system = self._system(coefficients.repeat_interleave(n_samples, dim=0).T)
        states = roll_out(system, start, self._dt, len(self._snapshots) - 1, n_substeps)
        return states[1:].unflatten(1, (n_copies, n_samples)) - self._snapshots[1:, None]

    def linearised(
        self, coefficients: Float64[Tensor, " term"], n_substeps: int, weighted: bool
    ) -> tuple[Float64[Tensor, " row"], Float64[Tensor, "row term"]]:
        """Weighted misfit and its Jacobian."""
        nudges = DIFFERENCE * coefficients.abs().clamp(min=1e-12)
        shifted = torch.cat([coefficients + torch.diag(nudges), coefficients - torch.diag(nudges), coefficients[None]])
        miss = self._miss(shifted, n_substeps)
        n = len(coefficients)
        weight = _weights(miss[:, -1], self._shell) if weighted else torch.ones((), device=miss.device)
        columns = [_real(weight * (miss[:, k] - miss[:, n + k])) / (2.0 * nudges[k]) for k in range(n)]
        return _real(weight * miss[:, -1]), torch.stack(columns, dim=1)

    def steps_for(self, coefficients: Float64[Tensor, " term"]) -> int:
        """The fewest time steps per snapshot whose error moves no coefficient by more than a share of its error."""
        before, fewest = np.inf, self._system(coefficients).fewest_substeps(self._dt)
        for n, coarse, fine in doubled(lambda n: self._miss(coefficients[None], n)[:, 0], fewest, MAX_SUBSTEPS):
            change = fine - coarse
            moved = float(torch.linalg.vector_norm(_weights(coarse, self._shell) * change))
            size = float(torch.linalg.vector_norm(change))
            # where rounding is all that is left, more steps do not help
            if moved < STEP_ERROR or size > before / 2.0:
                return n
            before = size
        return MAX_SUBSTEPS


def _shots(field: Field, spectrum: HalfSpectrum) -> Complex128[Tensor, "step sample channel *mode"]:
    """Modes of stretches of N_STEPS + 1 snapshots, spread over runs and time."""
    n_steps = min(N_STEPS, field.n_times - 1)
    places = [(run, t) for t in range(0, field.n_times - n_steps, n_steps) for run in range(field.n_runs)]
    n_modes = int(np.prod(spectrum.coarse_shape)) * len(field.names)
    chosen = places[:: -(-len(places) * n_modes // MAX_MODES)]
    pieces = np.stack([field.values[run, t : t + n_steps + 1] for run, t in chosen], axis=1)
    return spectrum.to_modes(torch.as_tensor(pieces, device=spectrum.device))


def _shells(spectrum: HalfSpectrum) -> Tensor:
    """Whole length of the wave vector of each mode, in modes."""
    *leading, last = (axis.cutoff for axis in spectrum.axes)
    numbers = np.meshgrid(*[np.arange(-k, k + 1) for k in leading], np.arange(last + 1), indexing="ij")
    radius = np.sqrt(np.sum(np.square(numbers), axis=0))
    return torch.as_tensor(np.round(radius).astype(np.int64), device=spectrum.device)


def _weights(
    residual: Complex128[Tensor, "step sample channel *mode"], shell: Tensor
) -> Float64[Tensor, " channel *mode"]:
    """Inverse standard deviation of the residual by channel and shell."""
    power = residual.abs().square().mean(dim=(0, 1)).flatten(1)
    index = shell.flatten()
    count = torch.zeros(int(index.max()) + 1, dtype=torch.float64, device=residual.device)
    count.index_add_(0, index, torch.ones_like(power[0]))
    total = torch.zeros((len(power), len(count)), dtype=torch.float64, device=residual.device)
    total.index_add_(1, index, power)
    # real and imaginary parts share the power; rounding is the floor
    variance = (total / count)[:, index] / 2.0
    floor = 1e-30 * residual.abs().square().sum() + 1e-300
    return (variance + floor).rsqrt().reshape(residual.shape[2:])


def _real(values: Complex128[Tensor, "*any"]) -> Float64[Tensor, " row"]:
    return torch.view_as_real(values).flatten()


def _with(equations: Sequence[Equation], coefficients: list[float], errors: list[float]) -> tuple[Equation, ...]:
    """The equations with new numbers, dealt out in order."""
    renewed = []
    for equation in equations:
        n = len(equation.terms)
        renewed.append(replace(equation, coefficients=tuple(coefficients[:n]), errors=tuple(errors[:n])))
        coefficients, errors = coefficients[n:], errors[n:]
    return tuple(renewed)
