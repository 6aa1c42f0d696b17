"""Multiple shooting: how well a system runs through windows of noisy data, when each may start where it fits best.

With whitened data w, coefficients c and the starting state x of a window, the misfit is |w - y(x, c)|^2. The starting
states are eliminated window by window: with y's derivatives X by x and C by c, conjugate gradients give Z and z in
    P = C - X Z,  r = (w - y) - X z,  both orthogonal to the range of X,
and then  P'P  is the Schur complement of the Gauss-Newton matrix, the information that the data hold about c when
nothing is known of x. Only roll-outs of tangents and their transposes are needed, never X itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from pdenet.discovery.tangent import RollOut, System
from pdenet.discovery.windows import Windows

GAIN = 1e-3  # share by which a step of the conjugate gradients must still lower the information about a coefficient
GAIN_OF_START = 1e-5  # and the misfit
TINY = 1e-300
MAX_STEPS = 40


@dataclass(frozen=True)
class Linearised:
    """The quadratic model of the misfit in the coefficients: information P'P and its right side P'r.

    start, by_coefficient: the change z of the starting states, and what they lose, Z, by a unit of each coefficient.
    """

    information: Float64[Tensor, "row row_"]
    score: Float64[Tensor, " row"]
    start: Float64[Tensor, "window channel *coarse"]
    by_coefficient: Float64[Tensor, "row window channel *coarse"]


class Shooting:
    """Roll-outs of a system through windows from given whitened starting states."""

    def __init__(
        self,
        system: System,
        windows: Windows,
        coefficients: Float64[Tensor, " row"],
        start: Float64[Tensor, "window channel *coarse"],
        n_substeps: int,
    ) -> None:
        self._system, self._windows, self._n_substeps = system, windows, n_substeps
        self._spectrum = system.spectrum
        self._diagonal = _linear_information(system, windows, coefficients)
        self.coefficients, self.start = coefficients, start
        self._rolled = RollOut(system, coefficients, self._modes(start), windows.dt, windows.n_times - 1, n_substeps)
        self.miss = windows.values - self._whitened(self._rolled.states)

    @property
    def n_windows(self) -> int:
        """How many windows it runs through."""
        return len(self._windows)

    @property
    def misfit(self) -> float:
        """Sum of the squared residuals; its expectation is the number of freedoms."""
        return float(self.miss.square().sum())

    def states(self, places: Sequence[tuple[int, int]]) -> Float64[Tensor, "place state *coarse"]:
        """Whitened states of the roll-out at some places, (window, snapshot) each."""
        windows, times = (list(numbers) for numbers in zip(*places, strict=True))
        modes = self._rolled.states[times, windows]
        return self._spectrum.to_values(modes) / self._windows.unit[windows]

    def linearised(
        self, free: Sequence[int], guess: Float64[Tensor, "row window channel *coarse"] | None
    ) -> Linearised:
        """The quadratic model in the `free` coefficients. guess: of Z, from a linearisation nearby."""
        by_term = self._columns(self._whitened(self._rolled.forced(free)), len(free))
        guess = self.start.new_zeros((len(free), *self.start.shape)) if guess is None else guess
        lost, information = self._project(by_term, guess, GAIN)
        start, left = self._project(self.miss[None], torch.zeros_like(self.start)[None], GAIN_OF_START)
        columns = information.flatten(1)
        return Linearised(columns @ columns.T, columns @ left.flatten(), start[0], lost)

    def moved(
        self, free: Sequence[int], step: Float64[Tensor, " row"], quadratic: Linearised, fraction: float
    ) -> Shooting:
        """After a share of a step of the free coefficients and of the best change of the starting states with it."""
        rows = torch.tensor(list(free), device=step.device, dtype=torch.int64)
        coefficients = self.coefficients.index_add(0, rows, fraction * step)
        change = quadratic.start - torch.tensordot(step, quadratic.by_coefficient, dims=1)
        start = self.start + fraction * change
        return Shooting(self._system, self._windows, coefficients, start, self._n_substeps)

    def _modes(self, start: Tensor) -> Tensor:
        return self._spectrum.to_modes(start * self._windows.unit)

    def _whitened(self, states: Tensor) -> Tensor:
        """Modes "time column*window channel *mode" as values in units of noise."""
        values = self._spectrum.to_values(states)
        return self._windows.measured(values.unflatten(1, (-1, len(self._windows)))).flatten(1, 2)

    def _columns(self, values: Tensor, n: int) -> Tensor:
        """From "time column*window ..." to "column time window ..."."""
        return values.unflatten(1, (n, -1)).movedim(1, 0)

    def _project(
        self,
        targets: Float64[Tensor, "column time window channel *coarse"],
        guess: Float64[Tensor, "column window state *coarse"],
        gain: float,
    ) -> tuple[Float64[Tensor, "column window state *coarse"], Float64[Tensor, "column time window channel *coarse"]]:
        """Least squares of the targets in the starting states, and what is left.

        Conjugate gradients on the normal equations, each column and window for itself, until a step lowers the square
        of what is left by less than the share `gain`.
        """
        solution = guess.clone()
        image, gradient = self._image(guess)
        left = targets - image
        slope = gradient(left)
        direction = self._preconditioned(slope)
        size = _dot(slope, direction)
        for _ in range(MAX_STEPS):
            image, gradient = self._image(direction)
            length = size / _dot(image.movedim(1, 2), image.movedim(1, 2)).clamp(min=TINY)
            solution = solution + _like(length, direction) * direction
            left = left - _like(length, direction).unsqueeze(1) * image
            if bool(((length * size).sum(dim=1) <= gain * left.square().flatten(1).sum(dim=1)).all()):
                break
            slope = gradient(left)
            steeper = self._preconditioned(slope)
            size, before = _dot(slope, steeper), size
            direction = steeper + _like(size / before.clamp(min=TINY), steeper) * direction
        return solution, left

    def _image(self, change: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """X times changes of the starting states "column window ...", and the function that multiplies by X'."""
        change = change.detach().requires_grad_()
        with torch.enable_grad():
            modes = self._modes(change).flatten(0, 1)
            image = self._columns(self._whitened(self._rolled.tangent(modes)), len(change))

        def transposed(left: Tensor) -> Tensor:
            (gradient,) = torch.autograd.grad(image, change, left)
            return gradient

        return image.detach(), transposed

    def _preconditioned(self, gradient: Tensor) -> Tensor:
        """Divided by X'X of the linear terms alone, which is diagonal in the modes."""
        return self._spectrum.to_values(self._spectrum.to_modes(gradient) / self._diagonal)


def _linear_information(
    system: System, windows: Windows, coefficients: Float64[Tensor, " row"]
) -> Float64[Tensor, " channel *mode"]:
    """Sum over the snapshots, and over what is measured, of |exp(L t)|^2, L the matrix of the linear terms."""
    n_measured = windows.values.shape[2]
    if n_measured == len(system.spectrum.names):
        times = windows.dt * torch.arange(windows.n_times, dtype=torch.float64, device=system.symbol.device)
        return torch.exp(torch.tensordot(times, 2.0 * system.symbol.real, dims=0)).sum(dim=0)
    linear = system.coupling(coefficients.tolist()).flatten(2).movedim(-1, 0)
    step = torch.linalg.matrix_exp(windows.dt * linear)
    state = torch.eye(len(system.spectrum.names), dtype=step.dtype, device=step.device)
    total = torch.zeros(step.shape[:2], dtype=torch.float64, device=step.device)
    for _ in range(windows.n_times):
        total = total + state[..., :n_measured, :].abs().square().sum(dim=-2)
        state = step @ state
    return total.T.unflatten(1, system.spectrum.mode_shape)


def _dot(a: Tensor, b: Tensor) -> Float64[Tensor, "column window"]:
    """Inner products by column and window, over "column window ..."."""
    return (a * b).flatten(2).sum(dim=2)


def _like(numbers: Float64[Tensor, "column window"], values: Tensor) -> Tensor:
    """With axes of length one, to multiply "column window ..."."""
    return numbers.reshape(*numbers.shape, *(1,) * (values.ndim - 2))
