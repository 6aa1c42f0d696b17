"""Dynamics: what is integrated, dy/dt = f(t, y; theta(t)), with the weights theta as the control."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float, Inexact
from torch import Tensor, nn

from backbone.errors import UsageError
from backbone.grid import Grid
from backbone.prolongation import between
from backbone.stacking import stack_fields

Time = float | Float[Tensor, ""]  # a tensor where steps are stacked
Intervals = Sequence[tuple[float, float]]


@runtime_checkable
class VectorField(Protocol):
    """dy/dt = f(t, y): any callable of a time and a state "batch *state", real or complex."""

    def __call__(self, t: float, y: Tensor, /) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class SemiLinear:
    """dy/dt = linear * y + nonlinear(t, y): a stiff diagonal part, real or complex, and the rest.

    linear broadcasts to the state "batch *state" (usually "*state": one symbol for all samples).
    """

    linear: Tensor
    nonlinear: VectorField

    def __call__(self, t: float, y: Inexact[Tensor, " batch *state"], /) -> Inexact[Tensor, " batch *state"]:
        return self.linear * y + self.nonlinear(t, y)

    def resolvent(self, h: float, y: Inexact[Tensor, " batch *state"]) -> Inexact[Tensor, " batch *state"]:
        """(I - h L)^-1 y for the diagonal L = linear."""
        return y / (1 - h * self.linear)


class Dynamics(nn.Module, ABC):
    """dy/dt = f(t, y; theta(t)), cut into steps: a layer of a network is one interval of time."""

    @abstractmethod
    def on(self, t0: float, t1: float) -> VectorField:
        """The field on the step [t0, t1], theta frozen.

        Weights looked up by t inside a Runge-Kutta stage would drop its order to 1; frozen on the step they keep it.
        """

    def stacked(self, steps: Intervals) -> VectorField:
        """The fields of many steps as one, state "step*batch *state", time since the beginning of each step.

        Raises UsageError for fields that differ in more than weights.
        """
        return stack_fields([self.on(*step) for step in steps], [t0 for t0, _ in steps])

    def prolong(self, grid: Grid, finer: Grid) -> Dynamics:
        """The same control for steps `finer` than `grid`, with weights of its own. Raises UsageError if it cannot."""
        raise UsageError(
            f"{type(self).__name__} says nothing of its weights between the steps",
            where="Dynamics.prolong",
            cure="use Layered, Shared or PiecewiseLinear",
        )


class Shared(Dynamics):
    """One weight set for all steps: the same field at every time."""

    def __init__(self, field: VectorField) -> None:
        super().__init__()
        self.field = field

    def on(self, t0: float, t1: float) -> VectorField:
        return self.field

    def prolong(self, grid: Grid, finer: Grid) -> Shared:
        return self


class Layered(Dynamics):
    """A weight set per step of `grid`: fields[k] on [ts[k], ts[k+1]], also when that step is refined.

    Raises UsageError if the number of fields is not the number of steps, or a step leaves its layer.
    """

    def __init__(self, fields: Sequence[nn.Module], grid: Grid) -> None:
        super().__init__()
        if len(fields) != grid.n_steps:
            raise UsageError(
                f"{len(fields)} fields for {grid.n_steps} steps", where="Layered", cure="give one field per step"
            )
        self.fields = nn.ModuleList(fields)
        self.grid = grid

    def on(self, t0: float, t1: float) -> VectorField:
        ts = self.grid.ts
        layer = bisect_right(ts, min(t0, t1)) - 1
        if layer < 0 or max(t0, t1) > ts[min(layer + 1, len(ts) - 1)]:
            raise UsageError(
                f"the step [{t0:g}, {t1:g}] lies in no single layer of [{ts[0]:g}, {ts[-1]:g}]",
                where="Layered",
                cure="integrate on the layers' grid or a refinement of it",
            )
        field: VectorField = self.fields[layer]
        return field

    def prolong(self, grid: Grid, finer: Grid) -> Layered:
        """Weights linear in t between the middles of the steps; those with BatchNorm constant on each step."""
        middles = [[(t0 + t1) / 2 for t0, t1 in each.steps] for each in (self.grid, finer)]
        return Layered(between(list(self.fields), *middles), finer)


class Autonomous(nn.Module):
    """The field f(t, y) = net(y) of a network that knows no time: a residual branch."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, t: Time, y: Inexact[Tensor, " batch *state"]) -> Inexact[Tensor, " batch *state"]:
        dy: Tensor = self.net(y)
        return dy
