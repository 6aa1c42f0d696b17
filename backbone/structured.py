"""Fields with a structure that a scheme makes use of: sums, halves, branches, forces. Each is a module of its parts."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Inexact
from torch import Tensor, nn

from backbone.dynamics import VectorField

Batch = Inexact[Tensor, " batch *state"]


class Split(nn.Module):
    """dy/dt = F(t, y) + G(t, y), each easier to step than the sum: attention and feed-forward of a Transformer.

    late: F on the second half of a step, where it has weights of its own there (the Macaron layer); else None.
    """

    def __init__(self, F: VectorField, G: VectorField, late: VectorField | None = None) -> None:
        super().__init__()
        self.F = F
        self.G = G
        self.late = late

    def forward(self, t: float, y: Batch) -> Batch:
        first = self.F(t, y) if self.late is None else (self.F(t, y) + self.late(t, y)) / 2
        return first + self.G(t, y)

    def parts(self) -> tuple[VectorField | None, ...]:
        """What steps that are stacked are stacked of."""
        return self.F, self.G, self.late


class Separable(nn.Module):
    """dq/dt = first(t, p), dp/dt = second(t, q); the state is q, then p, halves of axis 1. RevNet, Hamiltonian nets."""

    def __init__(self, first: VectorField, second: VectorField) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, t: float, y: Batch) -> Batch:
        q, p = y.chunk(2, dim=1)
        return torch.cat([self.first(t, p), self.second(t, q)], dim=1)

    def parts(self) -> tuple[VectorField, ...]:
        """What steps that are stacked are stacked of."""
        return self.first, self.second


class Opposite(nn.Module):
    """dy/dt = -field(t, y): schemes of separable fields take the sign into their steps, a pass over the state less."""

    def __init__(self, field: VectorField) -> None:
        super().__init__()
        self.field = field

    def forward(self, t: float, y: Batch) -> Batch:
        return -self.field(t, y)

    def parts(self) -> tuple[VectorField, ...]:
        """What steps that are stacked are stacked of."""
        return (self.field,)


class Branches(nn.Module):
    """dy/dt = (first(t, y) + second(t, y)) / 2: two branches whose shares the scheme decides."""

    def __init__(self, first: VectorField, second: VectorField) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, t: float, y: Batch) -> Batch:
        return (self.first(t, y) + self.second(t, y)) / 2

    def parts(self) -> tuple[VectorField, ...]:
        """What steps that are stacked are stacked of."""
        return self.first, self.second


class SecondOrder(nn.Module):
    """d2y/dt2 = force(t, y), at rest in the beginning. Only a scheme for forces may step it."""

    def __init__(self, force: VectorField) -> None:
        super().__init__()
        self.force = force

    def forward(self, t: float, y: Batch) -> Batch:
        return self.force(t, y)

    def parts(self) -> tuple[VectorField, ...]:
        """What steps that are stacked are stacked of."""
        return (self.force,)


@runtime_checkable
class Stiff(Protocol):
    """dy/dt = L y + nonlinear(t, y) with a linear part L that one can solve for."""

    def nonlinear(self, t: float, y: Tensor, /) -> Tensor:
        """The part that is stepped explicitly."""
        ...

    def resolvent(self, h: float, y: Tensor) -> Tensor:
        """(I - h L)^-1 y."""
        ...
